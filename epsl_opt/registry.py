"""Solvers, backends, scenarios, exporters and studies are found through entry points, ours like anybody's."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from epsl_opt.errors import InputError
from epsl_opt.options import unknown
from epsl_opt.solver import Solver
from epsl_opt.study import Study
from epsl_opt.training import TrainingBackend

SOLVERS = "epsl_opt.solvers"
BACKENDS = "epsl_opt.backends"
SCENARIOS = "epsl_opt.scenarios"
EXPORTERS = "epsl_opt.exporters"
STUDIES = "epsl_opt.studies"

_KINDS = {
    SOLVERS: "solver",
    BACKENDS: "backend",
    SCENARIOS: "scenario",
    EXPORTERS: "exporter",
    STUDIES: "study",
}
"""What an entry of each group is called in messages."""


def names(group: str) -> list[str]:
    """Return the names registered under an entry-point group, in alphabetical order, without importing anything."""
    return sorted(_entries(group))


def load(group: str, name: str) -> Any:
    """Import what is registered as `name`.

    Raises
    ------
    InputError
        If there is no such name (near matches are listed) or its module does not import.
    """
    kind = _KINDS[group]
    entry = _entries(group).get(name)
    if entry is None:
        raise InputError(kind, unknown(name, names(group)))
    try:
        return entry.load()
    except (ImportError, AttributeError) as error:
        raise InputError(kind, f"{name!r} ({entry.value}) does not load: {error}") from error


def load_solver(name: str) -> Solver[Any]:
    """Return a new solver by its registered name.

    Raises
    ------
    InputError
        If there is no such solver, or what is registered is none.
    """
    solver = load(SOLVERS, name)()
    if not isinstance(solver, Solver):
        raise InputError("solver", f"{name!r} is not an epsl_opt.Solver")
    return solver


def load_backend(name: str) -> TrainingBackend[Any]:
    """Return a new training backend by its registered name.

    Raises
    ------
    InputError
        If there is no such backend, or what is registered is none.
    """
    backend = load(BACKENDS, name)()
    if not isinstance(backend, TrainingBackend):
        raise InputError("backend", f"{name!r} is not an epsl_opt.training.TrainingBackend")
    return backend


def load_study(name: str) -> Study:
    """Return a new study by its registered name.

    Raises
    ------
    InputError
        If there is no such study, or what is registered is none.
    """
    study = load(STUDIES, name)()
    if not isinstance(study, Study):
        raise InputError("study", f"{name!r} is not an epsl_opt.study.Study")
    return study


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
