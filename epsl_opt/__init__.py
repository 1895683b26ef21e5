"""epsl-opt: exact, convex and greedy resource management for efficient parallel split learning.

Public names are imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from epsl_opt.core.moved import install

if TYPE_CHECKING:
    from epsl_opt.core.checker import Violation as Violation
    from epsl_opt.core.checker import check as check
    from epsl_opt.core.errors import EpslOptError as EpslOptError
    from epsl_opt.core.errors import InputError as InputError
    from epsl_opt.core.instance import Instance as Instance
    from epsl_opt.core.json_record import read_instance as read_instance
    from epsl_opt.core.latency import RoundLatency as RoundLatency
    from epsl_opt.core.latency import round_latency as round_latency
    from epsl_opt.core.options import Options as Options
    from epsl_opt.core.results import Limits as Limits
    from epsl_opt.core.results import SolutionStatus as SolutionStatus
    from epsl_opt.core.results import SolveResult as SolveResult
    from epsl_opt.core.results import StopReason as StopReason
    from epsl_opt.core.schedule import FREE as FREE
    from epsl_opt.core.schedule import Schedule as Schedule
    from epsl_opt.files.breakdown import ClientRow as ClientRow
    from epsl_opt.files.breakdown import client_rows as client_rows
    from epsl_opt.files.documents import ScheduleDocument as ScheduleDocument
    from epsl_opt.files.json_files import read_schedule as read_schedule
    from epsl_opt.files.json_files import write_record as write_record
    from epsl_opt.planning.api import plan as plan
    from epsl_opt.planning.plan import Plan as Plan
    from epsl_opt.plugins.monitor import SolveMonitor as SolveMonitor
    from epsl_opt.plugins.scenario import Scenario as Scenario
    from epsl_opt.plugins.scenario import ScenarioOptions as ScenarioOptions
    from epsl_opt.plugins.solver import Solver as Solver
    from epsl_opt.plugins.solver import SolverKind as SolverKind
    from epsl_opt.plugins.solver import SolverOptions as SolverOptions
    from epsl_opt.problems.sources import load_instance as load_instance
    from epsl_opt.solving.live import reschedule as reschedule
    from epsl_opt.solving.solve import solve as solve

if not Path(__path__[0], "solvers").is_dir():  # a checkout whose links could not be made
    __path__.append(str(Path(__path__[0]).parent))

install()

_HOME = {
    "ClientRow": "files.breakdown",
    "client_rows": "files.breakdown",
    "Violation": "core.checker",
    "check": "core.checker",
    "ScheduleDocument": "files.documents",
    "EpslOptError": "core.errors",
    "InputError": "core.errors",
    "read_instance": "core.json_record",
    "read_schedule": "files.json_files",
    "write_record": "files.json_files",
    "Instance": "core.instance",
    "RoundLatency": "core.latency",
    "round_latency": "core.latency",
    "SolveMonitor": "plugins.monitor",
    "Options": "core.options",
    "Limits": "core.results",
    "SolutionStatus": "core.results",
    "SolveResult": "core.results",
    "StopReason": "core.results",
    "Scenario": "plugins.scenario",
    "ScenarioOptions": "plugins.scenario",
    "FREE": "core.schedule",
    "Schedule": "core.schedule",
    "Solver": "plugins.solver",
    "SolverKind": "plugins.solver",
    "SolverOptions": "plugins.solver",
    "Plan": "planning.plan",
    "plan": "planning.api",
    "reschedule": "solving.live",
    "solve": "solving.solve",
    "load_instance": "problems.sources",
}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'epsl_opt' has no attribute {name!r}")
    return getattr(import_module(f"epsl_opt.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
