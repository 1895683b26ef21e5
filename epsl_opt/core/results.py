"""One vocabulary for every solver, exact or not: limits, and what a run left behind (how it ended: `outcome`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from epsl_opt.core.checker import RELATIVE_TOLERANCE, Violation
from epsl_opt.core.defaults import DEFAULT_REL_GAP, DEFAULT_TIME_LIMIT_S
from epsl_opt.core.json_value import JsonDict, JsonValue
from epsl_opt.core.marginal_values import MarginalValues
from epsl_opt.core.outcome import NEEDS_SCHEDULE, SolutionStatus, StopReason, refuse_impossible_pair
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.stage_times import RoundStages

__all__ = (
    "Limits",
    "SolutionStatus",
    "SolveResult",
    "StopReason",
    "TracePoint",
    "check_proof",
    "relative_gap",
)


@dataclass(frozen=True)
class Limits:
    """When to stop, the same for every solver.

    Parameters
    ----------
    time_s
        Wall-clock seconds for build and solve together. `inf` means no limit.
    rel_gap
        Stop once (latency - bound) / latency is at most this: 0.05 is 5 %.
    threads
        Threads a solver may use; None leaves the choice to the solver.
    seed
        Of everything random in a solver.

    Raises
    ------
    ValueError
        If a limit is negative, NaN, (gap) 1 or more, or (threads) less than 1.
    """

    time_s: float = DEFAULT_TIME_LIMIT_S
    rel_gap: float = DEFAULT_REL_GAP
    threads: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.time_s > 0:
            raise ValueError(f"time_s must be greater than 0, got {self.time_s}")
        if not 0 <= self.rel_gap < 1:
            raise ValueError(
                f"rel_gap must be at least 0 and less than 1, got {self.rel_gap}{_as_fraction(self.rel_gap)}"
            )
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}")


def _as_fraction(percent: float) -> str:
    """What a user probably meant who gave a gap in percent."""
    return f" ({percent / 100:g} is {percent:g} %)" if 1 <= percent < 100 else ""


@dataclass(frozen=True)
class TracePoint:
    """What was known `elapsed_s` seconds after the start; None means nothing yet."""

    elapsed_s: float
    latency_s: float | None
    bound_s: float | None


@dataclass(frozen=True, eq=False)
class SolveResult:
    """What one run of one solver on one instance left behind, judged by the checker.

    Parameters
    ----------
    instance_name, instance_sha256
        Which instance.
    solver
        The solver's registered name.
    status, stop_reason
        What you have, and why the solver stopped.
    message
        One line for the user: why infeasible, unsupported or failed; otherwise what the solver wants to say.
    schedule, latency
        The verified schedule and its recomputed stages, or None.
    bound_s
        A proved lower bound on the latency of every schedule, or None if the solver gave none.
    violations
        What the checker found if the status is rejected.
    trace
        Incumbent and bound over time.
    build_s, solve_s
        Wall-clock seconds by our own clock.
    overrun_s
        Seconds by which the time limit was exceeded (0 if it was not).
    provenance
        Versions, processor, options, seed: what is needed to repeat the run. As in a schedule file, what is known of
        `warm_start` and `marginal_values` is added.
    warm_start
        Whether the solver used the schedule it was given to start from; None if it was given none.
    marginal_values
        What more of each resource would save, of solvers that can tell.

    Raises
    ------
    ValueError
        If the parts contradict each other.
    """

    instance_name: str
    instance_sha256: str
    solver: str
    status: SolutionStatus
    stop_reason: StopReason
    message: str
    schedule: Schedule | None
    latency: RoundStages | None
    bound_s: float | None
    violations: tuple[Violation, ...]
    trace: tuple[TracePoint, ...]
    build_s: float
    solve_s: float
    overrun_s: float
    provenance: Mapping[str, JsonValue]
    warm_start: bool | None = None
    marginal_values: MarginalValues | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "provenance", {**self.provenance, **self._told()})
        verified = self.status is SolutionStatus.VERIFIED
        if verified != (self.schedule is not None) or verified != (self.latency is not None):
            raise ValueError(f"status {self.status} and schedule do not fit")
        if (self.status is SolutionStatus.REJECTED) != bool(self.violations):
            raise ValueError(f"status {self.status} and violations do not fit")
        refuse_impossible_pair(self.status, self.stop_reason)
        if self.bound_s is not None and not math.isfinite(self.bound_s):
            raise ValueError(f"bound_s must be finite or None, got {self.bound_s}")

    def _told(self) -> JsonDict:
        warm: JsonDict = {} if self.warm_start is None else {"warm_start": self.warm_start}
        values = self.marginal_values
        return warm | ({} if values is None else {"marginal_values": values.to_document()})

    @property
    def latency_s(self) -> float | None:
        """Round latency of the verified schedule, recomputed."""
        return None if self.latency is None else self.latency.round_latency_s

    @property
    def gap(self) -> float | None:
        """(latency - bound) / latency, or None if either is missing."""
        return relative_gap(self.latency_s, self.bound_s)


def check_proof(stop_reason: StopReason, gap: float | None, rel_gap: float) -> list[Violation]:
    """Return what is wrong with a claim of optimality, or of a gap of at most `rel_gap`, where `gap` is proved."""
    if stop_reason not in NEEDS_SCHEDULE:
        return []
    asked = rel_gap if stop_reason is StopReason.GAP_REACHED else 0.0
    proved, tolerance = math.inf if gap is None else gap, max(asked, RELATIVE_TOLERANCE)
    return [] if proved <= tolerance else [Violation("gap claimed is proved", stop_reason.value, proved, "", tolerance)]


def relative_gap(latency_s: float | None, bound_s: float | None) -> float | None:
    """(latency - bound) / latency, never negative; None if either is missing."""
    if latency_s is None or bound_s is None:
        return None
    return max(latency_s - bound_s, 0.0) / latency_s if latency_s > 0 else 0.0
