"""How a run ended: why the solver stopped, and what you have; this module imports nothing."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Why a solver stopped; what it left behind is `SolutionStatus`."""

    OPTIMAL_PROVED = "optimal_proved"
    """The schedule is optimal up to floating-point rounding; it need not be the only optimum."""
    GAP_REACHED = "gap_reached"
    """The gap asked for is proved; the schedule need not be optimal."""
    COMPLETED = "completed"
    """A heuristic ran to its end; says nothing about how good the schedule is, or whether there is one."""
    TIME_LIMIT = "time_limit"
    """Time ran out; a schedule may or may not have been found, a better one may exist."""
    INTERRUPTED = "interrupted"
    """The user stopped it; otherwise like a time limit."""
    INFEASIBLE_PROVED = "infeasible_proved"
    """No schedule exists; not merely that none was found."""
    UNSUPPORTED = "unsupported"
    """The solver does not take this instance; says nothing about the instance."""
    ERROR = "error"
    """The solver failed; what it found before, if anything, is kept."""


class SolutionStatus(StrEnum):
    """What you have."""

    NONE = "none"
    """No schedule; one may still exist."""
    VERIFIED = "verified"
    """A schedule whose constraints and latency the independent checker recomputed; not that it is optimal."""
    REJECTED = "rejected"
    """The solver broke a constraint or claimed something false; nothing it said is to be used."""


NEEDS_SCHEDULE = {StopReason.OPTIMAL_PROVED, StopReason.GAP_REACHED}
_HAS_NO_SCHEDULE = {StopReason.INFEASIBLE_PROVED, StopReason.UNSUPPORTED}


def refuse_impossible_pair(status: SolutionStatus, stop_reason: StopReason) -> None:
    """Raise ValueError if a solver can't have stopped for this reason and left this behind."""
    if stop_reason in NEEDS_SCHEDULE and status is SolutionStatus.NONE:
        raise ValueError(f"{stop_reason} without a schedule")
    if stop_reason in _HAS_NO_SCHEDULE and status is not SolutionStatus.NONE:
        raise ValueError(f"{stop_reason} with status {status}")
