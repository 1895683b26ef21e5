"""Exit codes: what a script learns about a run without reading its output."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from epsl_opt.core.outcome import SolutionStatus, StopReason


class ExitCode(IntEnum):
    """What each exit code says."""

    OK = 0
    """A verified schedule, or a command that did what it was asked."""
    ERROR = 1
    """Something failed that should not have, a solver among them."""
    BAD_INPUT = 2
    """Wrong usage, or a wrong file, option or name."""
    INFEASIBLE = 3
    """It is proved that the instance has no schedule."""
    NO_SCHEDULE = 4
    """The solver stopped without a schedule, or does not take the instance; one may exist."""
    REJECTED = 5
    """A schedule broke a constraint, or claimed something false."""
    INTERRUPTED = 130
    """Stopped by the user without a schedule."""


_BY_STOP_REASON = {
    StopReason.INFEASIBLE_PROVED: ExitCode.INFEASIBLE,
    StopReason.ERROR: ExitCode.ERROR,
    StopReason.INTERRUPTED: ExitCode.INTERRUPTED,
}

_WORST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.ERROR,
    ExitCode.REJECTED,
    ExitCode.NO_SCHEDULE,
    ExitCode.INFEASIBLE,
)


def exit_code(status: SolutionStatus, stop_reason: StopReason) -> ExitCode:
    """Return the exit code of one run from what it left behind and why it stopped."""
    if status is SolutionStatus.VERIFIED:
        return ExitCode.OK
    if status is SolutionStatus.REJECTED:
        return ExitCode.REJECTED
    return _BY_STOP_REASON.get(stop_reason, ExitCode.NO_SCHEDULE)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that needs attention most: interrupted, error, rejected, no schedule, infeasible, then OK."""
    found = set(codes)
    return next((code for code in _WORST_FIRST if code in found), ExitCode.OK)
