"""Runs of a comparison, as a campaign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from epsl_opt.campaigns.campaign import Campaign
from epsl_opt.campaigns.engines import Engine, Failed, Outcomes, Task, run_tasks
from epsl_opt.campaigns.run_document import RunDocument, is_final, refuse_other_run, run_key
from epsl_opt.campaigns.store import Store
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import Limits, SolutionStatus, SolveResult, StopReason
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver
from epsl_opt.solving.provenance import provenance
from epsl_opt.solving.solve import solve


class Observer(Protocol):
    """Who wants to know how a campaign gets on."""

    def start(self, label: str) -> None:
        """Hear that another run begins."""

    def listen(self, monitor: SolveMonitor) -> None:
        """Hear something new about the running solver."""


@dataclass(frozen=True)
class Run:
    """A solver on an instance."""

    instance: Instance
    solver: Solver[Any]
    options: Options
    limits: Limits

    @property
    def label(self) -> str:
        """What it is, for the user."""
        return f"{self.solver.name} on {self.instance.name}"

    def make(self, observer: Observer | None = None) -> ScheduleDocument:
        """Make the run in this process."""
        listener = None if observer is None else observer.listen
        result = solve(self.instance, self.solver, self.limits, self.options.model_dump(), listener)
        return ScheduleDocument.from_result(self.instance, result)

    def failed(self, message: str) -> ScheduleDocument:
        """Return what a run leaves behind that came to no end of its own."""
        result = SolveResult(
            instance_name=self.instance.name,
            instance_sha256=self.instance.sha256,
            solver=self.solver.name,
            status=SolutionStatus.NONE,
            stop_reason=StopReason.ERROR,
            message=message,
            schedule=None,
            latency=None,
            bound_s=None,
            violations=(),
            trace=(),
            build_s=0.0,
            solve_s=0.0,
            overrun_s=0.0,
            provenance=provenance(self.solver, self.options, self.limits),
        )
        return ScheduleDocument.from_result(self.instance, result)


class ComparisonRuns(Campaign[Run, ScheduleDocument, ScheduleDocument]):
    """The runs of a comparison, kept in a folder if there is one."""

    def __init__(self, runs: Iterable[Run], folder: Path | None, observer: Observer | None, engine: Engine) -> None:
        self._store = None if folder is None else Store(folder, RunDocument, "run")
        self._observer = observer
        super().__init__(
            {run_key(run.instance, run.solver, run.options, run.limits): run for run in runs}, self._store, engine
        )

    @property
    def documents(self) -> tuple[ScheduleDocument, ...]:
        """What was found, in the order of the runs; failures are found, too."""
        failed = {key: self.jobs[key].failed(message) for key, message in self.failed.items()}
        known = self.found | failed
        return tuple(known[key] for key in self.jobs if key in known)

    def load(self, key: str, job: Run) -> ScheduleDocument | None:
        """Return what is kept, checked again."""
        if self._store is None:
            return None
        kept = self._store.load(key, partial(refuse_other_run, instance=job.instance))
        return None if kept is None else kept.result

    def make(self, left: Mapping[str, Run]) -> Outcomes[Run, ScheduleDocument]:
        """Make runs; one without a limit on its threads has the engine's."""
        own = self.engine.threads
        tasks = [
            Task(key, run.label, replace(run, limits=replace(run.limits, threads=run.limits.threads or own)))
            for key, run in left.items()
        ]
        return run_tasks(self._make_here if self.here else Run.make, tasks, self.engine)

    def keep(self, key: str, value: ScheduleDocument) -> ScheduleDocument | None:
        """Keep a run if it is worth it."""
        if value.stop_reason == StopReason.INTERRUPTED:
            return None
        if self._store is not None and is_final(value):
            self._store.save(RunDocument(key=key, result=value))
        return value

    def tell(self, failure: str = "") -> None:
        """Say how many are done, where no run can be heard."""
        if self._observer is not None and not self.here:
            self._observer.start(f"{self.done} of {len(self.jobs)} runs")

    def fail(self, task: Task[object], failure: Failed) -> None:
        """Note the message alone: the document of a run says whose it is."""
        self.failed[task.key] = failure.message

    def _make_here(self, run: Run) -> ScheduleDocument:
        if self._observer is not None:
            self._observer.start(f"[{self.done + 1}/{len(self.jobs)}] {run.label}")
        return run.make(self._observer)
