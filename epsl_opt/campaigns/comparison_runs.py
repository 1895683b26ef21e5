"""Runs of a comparison: made by an engine, kept as soon as they are done, and none again that is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from epsl_opt.campaigns.engines import Done, Engine, Function, Outcome, Task, ThisProcess, run_tasks
from epsl_opt.campaigns.run_store import RunStore, run_key
from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits, SolutionStatus, SolveResult, StopReason
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverOptions
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
    options: SolverOptions
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


class Campaign:
    """Runs by their keys, and what is known of each."""

    def __init__(self, runs: Sequence[Run], store: RunStore | None, observer: Observer | None, engine: Engine) -> None:
        self._runs = {run_key(run.instance, run.solver, run.options, run.limits): run for run in runs}
        self._store, self._observer, self._engine = store, observer, engine
        self._found: dict[str, ScheduleDocument] = {}
        self._side_by_side = not isinstance(engine, ThisProcess)
        self.reused = 0

    @property
    def documents(self) -> tuple[ScheduleDocument, ...]:
        """What was found, in the order of the runs."""
        return tuple(self._found[key] for key in self._runs if key in self._found)

    def run(self) -> None:
        """Make the runs that are not kept; end early if the user interrupts."""
        with contextlib.suppress(KeyboardInterrupt):
            self._reuse()
            self._tell_done()
            with contextlib.closing(run_tasks(self._function(), self._tasks(), self._engine)) as outcomes:
                for task, outcome in outcomes:
                    document = self._document(task, outcome)
                    if document.stop_reason is StopReason.INTERRUPTED:
                        return
                    if self._store is not None:
                        self._store.save(task.key, document)
                    self._found[task.key] = document
                    self._tell_done()

    def _reuse(self) -> None:
        if self._store is not None:
            kept = {key: self._store.load(key, run.instance) for key, run in self._runs.items()}
            self._found = {key: document for key, document in kept.items() if document is not None}
            self.reused = len(self._found)

    def _tasks(self) -> list[Task]:
        left = [(key, run) for key, run in self._runs.items() if key not in self._found]
        threads = self._engine.threads
        return [
            Task(key, run.label, replace(run, limits=replace(run.limits, threads=run.limits.threads or threads)))
            for key, run in left
        ]

    def _function(self) -> Function:
        return Run.make if self._side_by_side else self._make_here

    def _make_here(self, run: Run) -> ScheduleDocument:
        if self._observer is not None:
            self._observer.start(f"[{len(self._found) + 1}/{len(self._runs)}] {run.label}")
        return run.make(self._observer)

    def _tell_done(self) -> None:
        if self._side_by_side and self._observer is not None:
            self._observer.start(f"{len(self._found)} of {len(self._runs)} runs")

    def _document(self, task: Task, outcome: Outcome) -> ScheduleDocument:
        if isinstance(outcome, Done):
            document: ScheduleDocument = outcome.value
            return document
        return self._runs[task.key].failed(outcome.message)
