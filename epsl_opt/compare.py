"""A campaign: every solver on every instance under the same limits, resumable."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from epsl_opt import registry
from epsl_opt.documents import ScheduleDocument
from epsl_opt.errors import InputError
from epsl_opt.instance import Instance
from epsl_opt.monitor import SolveMonitor
from epsl_opt.options import parse_options, unknown
from epsl_opt.results import Limits
from epsl_opt.run_store import RunStore, run_key
from epsl_opt.solver import Solver, SolverOptions
from epsl_opt.solving import solve

log = logging.getLogger(__name__)

SolverChoice = tuple[Solver[Any], SolverOptions]


class Observer(Protocol):
    """Who wants to know how a campaign gets on."""

    def start(self, label: str) -> None:
        """Hear that another run begins."""

    def listen(self, monitor: SolveMonitor) -> None:
        """Hear something new about the running solver."""


@dataclass(frozen=True)
class Comparison:
    """What a campaign left behind: `planned` runs were asked for, `reused` of the documents were on disk already."""

    instances: tuple[Instance, ...]
    documents: tuple[ScheduleDocument, ...]
    planned: int
    reused: int

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before its end."""
        return len(self.documents) < self.planned


def compare(
    instances: Sequence[Instance],
    solvers: Sequence[str | Solver[Any]] | None = None,
    *,
    limits: Limits | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    folder: Path | None = None,
    observer: Observer | None = None,
) -> Comparison:
    """Run every solver on every instance.

    Parameters
    ----------
    instances
        What to solve; equal ones are run once.
    solvers
        Names or solver objects; every registered solver that loads if None.
    limits
        The same for every run.
    options
        Solver name -> that solver's own options.
    folder
        Where finished runs are kept, and looked for; nothing is kept if None.
    observer
        Told about progress.

    Returns
    -------
    Comparison
        With the runs finished so far if the user interrupted; an interrupted run does not count.

    Raises
    ------
    InputError
        If a solver or option is unknown or has a bad value, or the folder can't be written to; before anything is run.
    """
    limits = limits or Limits()
    distinct = tuple({instance.sha256: instance for instance in instances}.values())
    choices = choose_solvers(solvers, options or {})
    store = None if folder is None else RunStore(folder)
    if store is not None:
        store.prepare()
    planned = len(distinct) * len(choices)
    runs = list(_runs(distinct, choices, limits, store, observer))
    documents = tuple(document for document, _ in runs)
    return Comparison(distinct, documents, planned, sum(was_kept for _, was_kept in runs))


def choose_solvers(
    solvers: Sequence[str | Solver[Any]] | None, options: Mapping[str, Mapping[str, Any]]
) -> list[SolverChoice]:
    """Return the solvers with their options, each once.

    Raises
    ------
    InputError
        If a solver does not load, an option is unknown or bad, or options are given for a solver that does not run.
    """
    found = _loadable() if solvers is None else [registry.load_solver(s) if isinstance(s, str) else s for s in solvers]
    if not found:
        raise InputError("solvers", "there are none to compare")
    by_name = {solver.name: solver for solver in found}
    for name in options:
        if name not in by_name:
            raise InputError("option", unknown(name, sorted(by_name)))
    return [
        (solver, parse_options(solver.options_type, options.get(name, {}), f"solver {name}"))
        for name, solver in by_name.items()
    ]


def _loadable() -> list[Solver[Any]]:
    """Every registered solver; one that does not load must not keep the others from running."""
    found = []
    for name in registry.names(registry.SOLVERS):
        try:
            found.append(registry.load_solver(name))
        except InputError as error:
            log.warning("%s; left out", error)
    return found


def _runs(
    instances: Sequence[Instance],
    choices: Sequence[SolverChoice],
    limits: Limits,
    store: RunStore | None,
    observer: Observer | None,
) -> Iterator[tuple[ScheduleDocument, bool]]:
    """Yield each run and whether it was on disk; end early if the user interrupts."""
    pairs = [(instance, solver, options) for instance in instances for solver, options in choices]
    try:
        for number, (instance, solver, options) in enumerate(pairs, start=1):
            if observer is not None:
                observer.start(f"[{number}/{len(pairs)}] {solver.name} on {instance.name}")
            key = run_key(instance, solver, options, limits)
            kept = None if store is None else store.load(key, instance)
            document = kept or _run(instance, solver, options, limits, observer)
            if document.stop_reason == "interrupted":
                return
            if store is not None and kept is None:
                store.save(key, document)
            yield document, kept is not None
    except KeyboardInterrupt:
        return


def _run(
    instance: Instance, solver: Solver[Any], options: SolverOptions, limits: Limits, observer: Observer | None
) -> ScheduleDocument:
    listener = None if observer is None else observer.listen
    result = solve(instance, solver, limits, options.model_dump(), listener)
    return ScheduleDocument.from_result(instance, result)
