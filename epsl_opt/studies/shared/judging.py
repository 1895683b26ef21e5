"""Words and verdicts about differences that the studies share."""

from __future__ import annotations

from epsl_opt.plugins.study import Verdict
from epsl_opt.report.intervals import Interval, judge_at_least


def points(found: Interval) -> str:
    """Write a difference of fractions in points, with its interval."""
    return f"{100 * found.mean:+.2f} points [{100 * found.low:+.2f}, {100 * found.high:+.2f}]"


def judge_more(found: Interval) -> Verdict:
    """Return whether an interval says that a difference is more than 0, not just as much."""
    return Verdict.FAILS if found.high <= 0 else judge_at_least(found, 0.0)
