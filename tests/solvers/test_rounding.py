"""Rounding fractional allocations: counts keep their sum and their limits, and impossible ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import load_instance
from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.solvers.primal.rounding import nearest_counts, round_allocation

Case = tuple[FloatArray, IntArray, IntArray]


@st.composite
def totals_with_limits(draw: st.DrawFn) -> Case:
    """Fractional counts that sum to a whole number, and limits, kept or not, between which whole counts may fit."""
    C = draw(st.integers(1, 5))
    M = draw(st.integers(1, 12))
    weight = np.array(draw(st.lists(st.floats(0.01, 1), min_size=C, max_size=C)))
    least = np.array(draw(st.lists(st.integers(0, 4), min_size=C, max_size=C)))
    room = np.array(draw(st.lists(st.integers(0, 8), min_size=C, max_size=C)))
    return M * weight / weight.sum(), least, least + room


@given(totals_with_limits())
def test_counts_keep_their_sum_and_limits(case: Case) -> None:
    """Whole counts have the sum of the fractional ones within the limits, and are refused if and only if none have."""
    total, least, most = case
    n_subchannels = round(total.sum())
    if least.sum() <= n_subchannels <= most.sum():
        counts = nearest_counts(total, least, most)
        assert counts.sum() == n_subchannels
        assert ((counts >= least) & (counts <= most)).all()
    else:
        with pytest.raises(ValueError, match="sum to"):
            nearest_counts(total, least, most)


@given(totals_with_limits())
def test_unlimited_counts_are_off_by_less_than_one(case: Case) -> None:
    """Without limits every count is one of the two whole numbers next to its fractional count."""
    total, _, _ = case
    n_clients = len(total)
    counts = nearest_counts(total, np.zeros(n_clients, dtype=np.intp), np.full(n_clients, round(total.sum())))
    assert (np.abs(counts - total) < 1 + 1e-9).all()


def test_crossed_limits_are_refused() -> None:
    """A client whose least count exceeds its most is refused, whatever the sums."""
    with pytest.raises(ValueError, match="no counts between"):
        nearest_counts(np.array([2.0, 2.0]), np.array([3, 0]), np.array([2, 4]))


def test_fewer_subchannels_than_clients_can_be_rounded() -> None:
    """Every subchannel goes to the client that holds most of it even where there are too few for every client."""
    instance = load_instance("paper:clients=4,subchannels=2")
    fraction = np.array([[0.1, 0.1], [0.0, 0.1], [0.7, 0.1], [0.2, 0.7]])
    assert round_allocation(instance, cut_costs(instance, 0), fraction).tolist() == [2, 3]


def test_what_a_relaxation_leaves_free_is_shared_out() -> None:
    """Fractions that give nothing away, as where nobody has traffic, still become a whole allocation."""
    instance = load_instance("paper:clients=3,subchannels=7")
    owner = round_allocation(instance, cut_costs(instance, 0), np.zeros((3, 7)))
    assert np.bincount(owner, minlength=3).sum() == 7
    assert (np.bincount(owner) > 0).all()


def test_out_of_time_one_rounding_is_made() -> None:
    """When time is up before the first candidate, the first is still rounded, and no other."""
    instance = load_instance("paper:clients=3,subchannels=7")
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return True

    fraction = np.full((3, 7), 1 / 3)
    owner = round_allocation(instance, cut_costs(instance, 0), fraction, stop=stop)
    assert sorted(np.bincount(owner).tolist()) == [2, 2, 3]
    assert asked
