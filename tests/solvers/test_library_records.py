"""The best known results of the library are what a short run can neither beat nor contradict."""

from __future__ import annotations

import pytest
from draws import seconds

from epsl_opt import Limits, SolutionStatus, solve
from epsl_opt.core.checker import check_bound
from epsl_opt.problems import library

SHORT = Limits(time_s=seconds(0.25, 2.0), rel_gap=1e-6, threads=1)
NOTICEABLE = 1e-5
"""Relative: by less, a run may be ahead by luck of where the clock stops it."""


@pytest.mark.drawn
@pytest.mark.parametrize("name", library.names())
@pytest.mark.parametrize("solver", ["exact", "greedy"])
def test_a_short_run_neither_beats_nor_contradicts_a_record(name: str, solver: str) -> None:
    """A moment of solving finds no noticeably better schedule or bound than the record's, and refutes neither."""
    known, result = library.best_known(name), solve(library.load(name), solver, SHORT)
    assert result.status is not SolutionStatus.REJECTED, result.message
    assert known.latency_s is not None
    if result.bound_s is not None:
        assert check_bound(result.bound_s, known.latency_s) == []
        assert known.bound_s is not None
        assert result.bound_s <= known.bound_s * (1 + NOTICEABLE)
    if result.latency_s is not None:
        assert known.bound_s is None or check_bound(known.bound_s, result.latency_s) == []
        assert result.latency_s >= known.latency_s * (1 - NOTICEABLE)


WIDEST = 0.015


@pytest.mark.parametrize("name", library.names())
def test_records_are_the_fruit_of_some_effort(name: str) -> None:
    """No record has a wider gap than a minute or two of `exact` leaves on the hardest instances of the library."""
    gap = library.best_known(name).gap
    assert gap is not None
    assert gap <= WIDEST
