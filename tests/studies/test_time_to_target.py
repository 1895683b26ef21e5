"""Times to a target with trainings that never got there."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt.plugins.study import Verdict
from epsl_opt.studies.shared.to_target import Reach, reach_of, speed_up

TIMES = st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=6)
END = 20.0


def reaches(*times: float | None) -> list[Reach]:
    """Return trainings that got there then, or never."""
    return [Reach(time, END) for time in times]


@given(pairs=TIMES)
def test_ratio_is_the_geometric_mean(pairs: list[tuple[float, float]]) -> None:
    """Where all got there, the ratio is the geometric mean of theirs over mine, and swapping inverts it."""
    theirs, mine = (reaches(*times) for times in zip(*pairs, strict=True))
    found, swapped = speed_up(theirs, mine), speed_up(mine, theirs)
    assert found.ratio is not None
    assert swapped.ratio is not None
    assert math.log(found.ratio.mean) == pytest.approx(sum(math.log(a / b) for a, b in pairs) / len(pairs), abs=1e-9)
    assert found.ratio.mean * swapped.ratio.mean == pytest.approx(1)
    assert (found.theirs_missing, found.mine_missing, found.neither) == (0, 0, 0)


def test_clear_ratios_are_judged() -> None:
    """Twice as quick on all seeds holds, half as quick does not, and both mixed is open."""
    assert speed_up(reaches(2, 2.1, 4), reaches(1, 1, 2)).verdict() is Verdict.HOLDS
    assert speed_up(reaches(1, 1, 2), reaches(2, 2.1, 4)).verdict() is Verdict.FAILS
    assert speed_up(reaches(1, 2, 1), reaches(2, 1, 1)).verdict() is Verdict.OPEN


def test_a_bound_does_not_flatter() -> None:
    """Mine that never got there can lose but not win, theirs that never got there can win me but not lose."""
    quick_but_missing = [Reach(None, 1.0)] * 3
    assert speed_up(reaches(2, 2, 2), quick_but_missing).verdict() is Verdict.OPEN
    assert speed_up(reaches(2, 2, 2), reaches(None, None, None)).verdict() is Verdict.FAILS
    assert speed_up(reaches(None, None, None), reaches(2, 2, 2)).verdict() is Verdict.HOLDS
    assert speed_up(quick_but_missing, reaches(2, 2, 2)).verdict() is Verdict.OPEN


def test_pairs_in_which_nobody_got_there_are_left_out_and_told() -> None:
    """Such pairs do not count in the ratio; if they are most, nothing is concluded; if all, there is no ratio."""
    found = speed_up(reaches(2, 4, None), reaches(1, 2, None))
    assert found.ratio is not None
    assert found.ratio.mean == pytest.approx(2)
    assert "neither reached it on 1 of 3 seeds" in found.text()
    mostly = speed_up(reaches(2, 4, None, None, None), reaches(1, 2, None, None, None))
    assert mostly.verdict() is Verdict.OPEN
    never = speed_up(reaches(None, None), reaches(None, None))
    assert never.ratio is None
    assert never.verdict() is Verdict.OPEN
    assert "neither" in never.text()


def test_text_says_which_is_a_bound() -> None:
    """The text tells on how many seeds a training did not get there."""
    assert "at most, not reached on 1 of 2 seeds" in speed_up(reaches(1, 1), reaches(2, None)).text()
    assert "at least, the other did not reach it on 2 of 2" in speed_up(reaches(None, None), reaches(2, 2)).text()


def test_row_is_read() -> None:
    """A training's row gives the simulated seconds to the target, or to its end."""
    row = {"time_to_target_s": None, "total_time_s": 7.0}
    assert reach_of(row).at_least == 7
    assert reach_of(row | {"time_to_target_s": 3.0}).at_least == 3
