"""A campaign: every solver on every instance under the same limits, resumable."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsl_opt.campaigns.comparison_runs import ComparisonRuns, Observer, Run
from epsl_opt.campaigns.engines import Engine, ThisProcess
from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options, parse_options, unknown
from epsl_opt.core.results import Limits
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.json_files import prepare_folder
from epsl_opt.plugins import registry
from epsl_opt.plugins.solver import Solver

log = logging.getLogger(__name__)

SolverChoice = tuple[Solver[Any], Options]


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
    options: Mapping[str, Mapping[str, object]] | None = None,
    folder: Path | None = None,
    observer: Observer | None = None,
    engine: Engine | None = None,
) -> Comparison:
    """Run every solver on every instance.

    What is found does not depend on the engine, measured times apart.

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
        Told about progress; of runs in other processes only that they are done.
    engine
        Where the runs are made: one after the other in this process if None. A run whose process ends is tried once
        more, then it counts as an error. Where threads are pinned, a run without a limit has the engine's.

    Returns
    -------
    Comparison
        With the runs finished so far if the user interrupted; an interrupted run does not count.

    Raises
    ------
    InputError
        If a solver or option is unknown or has a bad value, or the folder can't be written to; before anything is run.
    EngineError
        If what makes the runs has gone.
    """
    limits = limits or Limits()
    distinct = tuple({instance.sha256: instance for instance in instances}.values())
    choices = choose_solvers(solvers, options or {})
    if folder is not None:
        prepare_folder(folder)
    runs = [Run(instance, *choice, limits) for instance in distinct for choice in choices]
    campaign = ComparisonRuns(runs, folder, observer, engine or ThisProcess())
    campaign.run()
    return Comparison(distinct, campaign.documents, len(runs), campaign.reused)


def choose_solvers(
    solvers: Sequence[str | Solver[Any]] | None, options: Mapping[str, Mapping[str, object]]
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
