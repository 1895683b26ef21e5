"""One solver on one instance in a process of its own, so that time and peak memory are the solver's alone."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from epsl_opt.campaigns.engines import Done
from epsl_opt.campaigns.engines.local import run_apart
from epsl_opt.core.results import Limits, SolveResult
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.solve import solve

WARM_UP = "paper"
"""Solved first, so that imports count neither as time nor as the solver's memory."""

REPEAT_BELOW_S = 0.5
REPEATS = 5
"""Shorter runs are repeated so often; their median counts."""

LEAST_MIB = 1.0
"""Less than this is the allocator's business."""


@dataclass(frozen=True)
class MeasuredSolve:
    """What a run found and took; `peak_mib` is the whole process's, `before_mib` what it held before the run.

    Memory is None where the system does not tell (it is read from /proc).
    """

    latency_s: float | None
    bound_s: float | None
    stop_reason: str
    time_s: float
    before_mib: float | None
    peak_mib: float | None

    @property
    def added_mib(self) -> float | None:
        """What the run added; None where that is too little to tell."""
        if self.before_mib is None or self.peak_mib is None:
            return None
        added_mib = self.peak_mib - self.before_mib
        return added_mib if added_mib >= LEAST_MIB else None


def measure(instance: str, solver: str, limits: Limits) -> MeasuredSolve:
    """Run `solver` in a new process; that process ends when this one does.

    Raises
    ------
    RuntimeError
        If the process failed or died.
    """
    found = run_apart(partial(measure_here, solver=solver, limits=limits), instance)
    if not isinstance(found, Done):
        raise RuntimeError(f"{solver} on {instance}: {found.message}")
    return found.value


def measure_here(source: str, solver: str, limits: Limits) -> MeasuredSolve:
    """Run `solver` in this process, after a small instance."""
    solve(load_instance(WARM_UP), solver, limits)
    instance = load_instance(source)
    before_mib = _memory_mib("VmRSS")
    result = solve(instance, solver, limits)
    times = [_time_s(result)]
    while len(times) < REPEATS and times[0] < REPEAT_BELOW_S:
        times.append(_time_s(solve(instance, solver, limits)))
    return MeasuredSolve(
        latency_s=result.latency_s,
        bound_s=result.bound_s,
        stop_reason=str(result.stop_reason),
        time_s=statistics.median(times),
        before_mib=before_mib,
        peak_mib=_memory_mib("VmHWM"),
    )


def _time_s(result: SolveResult) -> float:
    return result.build_s + result.solve_s


def _memory_mib(field: str) -> float | None:
    """Return a field of this process's status; unlike `getrusage`, its peak does not begin at the parent's."""
    status = Path("/proc/self/status")
    found = re.search(rf"{field}:\s+(\d+) kB", status.read_text(encoding="ascii")) if status.is_file() else None
    return None if found is None else int(found[1]) / 2**10
