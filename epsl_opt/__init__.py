"""epsl-opt: exact, convex and greedy resource management for efficient parallel split learning.

Public names are imported on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from epsl_opt.breakdown import ClientRow as ClientRow
    from epsl_opt.breakdown import client_rows as client_rows
    from epsl_opt.checker import Violation as Violation
    from epsl_opt.checker import check as check
    from epsl_opt.documents import ScheduleDocument as ScheduleDocument
    from epsl_opt.errors import EpslOptError as EpslOptError
    from epsl_opt.errors import InputError as InputError
    from epsl_opt.files import read_instance as read_instance
    from epsl_opt.files import read_schedule as read_schedule
    from epsl_opt.files import write_record as write_record
    from epsl_opt.instance import Instance as Instance
    from epsl_opt.latency import RoundLatency as RoundLatency
    from epsl_opt.latency import round_latency as round_latency
    from epsl_opt.live import reschedule as reschedule
    from epsl_opt.monitor import SolveMonitor as SolveMonitor
    from epsl_opt.results import Limits as Limits
    from epsl_opt.results import SolutionStatus as SolutionStatus
    from epsl_opt.results import SolveResult as SolveResult
    from epsl_opt.results import StopReason as StopReason
    from epsl_opt.scenario import Scenario as Scenario
    from epsl_opt.scenario import ScenarioOptions as ScenarioOptions
    from epsl_opt.schedule import FREE as FREE
    from epsl_opt.schedule import Schedule as Schedule
    from epsl_opt.solver import Solver as Solver
    from epsl_opt.solver import SolverKind as SolverKind
    from epsl_opt.solver import SolverOptions as SolverOptions
    from epsl_opt.solving import solve as solve
    from epsl_opt.sources import load_instance as load_instance

_HOME = {
    "ClientRow": "breakdown",
    "client_rows": "breakdown",
    "Violation": "checker",
    "check": "checker",
    "ScheduleDocument": "documents",
    "EpslOptError": "errors",
    "InputError": "errors",
    "read_instance": "files",
    "read_schedule": "files",
    "write_record": "files",
    "Instance": "instance",
    "RoundLatency": "latency",
    "round_latency": "latency",
    "SolveMonitor": "monitor",
    "Limits": "results",
    "SolutionStatus": "results",
    "SolveResult": "results",
    "StopReason": "results",
    "Scenario": "scenario",
    "ScenarioOptions": "scenario",
    "FREE": "schedule",
    "Schedule": "schedule",
    "Solver": "solver",
    "SolverKind": "solver",
    "SolverOptions": "solver",
    "reschedule": "live",
    "solve": "solving",
    "load_instance": "sources",
}

__all__ = sorted(_HOME)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'epsl_opt' has no attribute {name!r}")
    return getattr(import_module(f"epsl_opt.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
