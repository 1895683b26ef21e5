"""Solvers, backends, scenarios, exporters and studies are found through entry points, ours like anybody's."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint
from typing import Any

from epsl_opt.core.distribution import entry_points
from epsl_opt.core.errors import InputError
from epsl_opt.core.options import unknown
from epsl_opt.plugins.backend import TrainingBackend
from epsl_opt.plugins.scenario import Scenario
from epsl_opt.plugins.solver import AnySolver, Solver
from epsl_opt.plugins.study import Study

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


def load_solver(name: str) -> AnySolver:
    """Return a new solver by its registered name; raise `InputError` as `load_one` does."""
    solver: AnySolver = load_one(SOLVERS, name, Solver)
    return solver


def load_backend(name: str) -> TrainingBackend[Any]:
    """Return a new training backend by its registered name; raise `InputError` as `load_one` does."""
    backend: TrainingBackend[Any] = load_one(BACKENDS, name, TrainingBackend)
    return backend


def load_study(name: str) -> Study:
    """Return a new study by its registered name; raise `InputError` as `load_one` does."""
    study: Study = load_one(STUDIES, name, Study)
    return study


def load_scenario(name: str) -> Scenario[Any]:
    """Return a new scenario by its registered name; raise `InputError` as `load_one` does."""
    scenario: Scenario[Any] = load_one(SCENARIOS, name, Scenario)
    return scenario


def load_one(group: str, name: str, kind: type[Any]) -> Any:
    """Return a new object of what is registered as `name`.

    Raises
    ------
    InputError
        If there is no such name (near matches are listed), it does not load, or is no `kind`.
    """
    found = load(group, name)()
    if not isinstance(found, kind):
        raise InputError(_KINDS[group], f"{name!r} is not an {kind.__module__}.{kind.__qualname__}")
    return found


@cache
def plugin_version(group: str, name: str) -> str | None:
    """Return the version of the distribution that registered a name, None if nobody did."""
    found = [entry for entry in entry_points(group=group) if entry.name == name]
    return found[0].dist.version if found and found[0].dist is not None else None


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
