"""Verdicts that several studies share."""

from __future__ import annotations

from collections.abc import Sequence

from epsl_opt.plugins.study import Verdict
from epsl_opt.report.intervals import Interval, judge_at_least
from epsl_opt.studies.shared.seeds import BySeed

NEAR = 0.01
"""Within this fraction of its latency a schedule is called near the optimum."""

PERCENT = f"{100 * NEAR:g} %"


def judge_more(found: Interval) -> Verdict:
    """Return whether an interval says that a difference is more than 0, not just as much."""
    return Verdict.FAILS if found.high <= 0 else judge_at_least(found, 0.0)


def judge_near(gap: Interval, sure: Interval) -> Verdict:
    """Return whether schedules are near the optimum: yes by their gap to the bound, no by better schedules."""
    if gap.high <= NEAR:
        return Verdict.HOLDS
    return Verdict.FAILS if sure.low > NEAR else Verdict.OPEN


def excess(mine: BySeed, all_latencies: Sequence[BySeed]) -> dict[int, float]:
    """Return by which fraction a latency could surely be shorter, by seed: another solver's schedule is."""
    return {seed: 1 - min(each[seed] for each in all_latencies if seed in each) / mine[seed] for seed in mine}
