"""Intervals agree with textbook formulas as scipy has them, and verdicts with the intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from epsl_opt.plugins.study import Verdict
from epsl_opt.report.intervals import (
    Interval,
    growth_exponent,
    judge_at_least,
    judge_at_most,
    mean_interval,
    paired_difference,
    paired_ratio,
)

values = st.lists(st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), min_size=2, max_size=12)
positives = st.floats(1e-3, 1e3)
pairs = st.lists(st.tuples(positives, positives), min_size=2, max_size=12)
ends = st.floats(-100, 100)


def approx(interval: Interval) -> tuple[object, ...]:
    """Return the numbers of an interval, to be compared up to rounding."""
    return tuple(pytest.approx(number, rel=1e-9, abs=1e-9) for number in (interval.mean, interval.low, interval.high))


def numbers(interval: Interval) -> tuple[float, ...]:
    """Return the numbers of an interval."""
    return interval.mean, interval.low, interval.high


@given(values)
def test_a_mean_has_the_interval_of_students_t_test(found: list[float]) -> None:
    """Mean and bounds are those of scipy's one-sample t test."""
    assume(np.std(found) > 1e-6)
    expected = stats.ttest_1samp(found, 0.0).confidence_interval(0.95)
    assert numbers(mean_interval(found)) == approx(Interval(float(np.mean(found)), *expected, len(found)))


@given(pairs)
def test_a_paired_difference_has_the_interval_of_the_paired_t_test(found: list[tuple[float, float]]) -> None:
    """The bounds are those of scipy's paired t test, and exchanging the two sides turns the signs."""
    mine, theirs = zip(*found, strict=True)
    assume(np.std(np.subtract(mine, theirs)) > 1e-6)
    difference = paired_difference(mine, theirs)
    expected = stats.ttest_rel(mine, theirs).confidence_interval(0.95)
    assert numbers(difference) == approx(Interval(difference.mean, *expected, len(mine)))
    assert numbers(paired_difference(theirs, mine)) == approx(
        Interval(-difference.mean, -difference.high, -difference.low, len(mine))
    )


@given(pairs, positives)
def test_a_paired_ratio_is_one_of_geometric_means(found: list[tuple[float, float]], factor: float) -> None:
    """The ratio is that of the geometric means; a factor on one side multiplies it; the inverse has inverse bounds."""
    mine, theirs = zip(*found, strict=True)
    ratio = paired_ratio(mine, theirs)
    assume(ratio.low > 1e-200)
    assume(ratio.high < 1e200)
    assert ratio.mean == pytest.approx(stats.gmean(mine) / stats.gmean(theirs))
    scaled = paired_ratio([factor * a for a in mine], theirs)
    assert numbers(scaled) == approx(Interval(factor * ratio.mean, factor * ratio.low, factor * ratio.high, len(mine)))
    inverse = paired_ratio(theirs, mine)
    assert 1 / inverse.mean == pytest.approx(ratio.mean)
    assert (1 / inverse.high, 1 / inverse.low) == (pytest.approx(ratio.low), pytest.approx(ratio.high))


def test_pairing_takes_out_what_the_pairs_share() -> None:
    """Seeds that differ far more than the two sides leave no doubt about the difference."""
    shared = np.array([1.0, 50.0, 300.0, 7.0])
    difference = paired_difference(shared + 0.1 + np.array([0.01, -0.01, 0.0, 0.0]), shared)
    assert judge_at_least(difference, 0.0) is Verdict.HOLDS
    assert judge_at_least(mean_interval(shared), 0.0) is Verdict.OPEN


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """Of 2000 intervals from 6 normal values each, between 93.5 and 96.5 % hold the true mean."""
    drawn = np.random.default_rng(1).normal(3.0, 2.0, (2000, 6))
    covered = [found.low <= 3.0 <= found.high for found in map(mean_interval, drawn)]
    assert 0.935 < np.mean(covered) < 0.965


def test_a_single_value_decides_nothing() -> None:
    """One seed gives infinite bounds, and every verdict stays open."""
    for single in (mean_interval([2.0]), paired_ratio([2.0], [1.0]), paired_difference([2.0], [1.0])):
        assert single.n == 1
        assert single.high == math.inf
        assert judge_at_least(single, 0.5) is Verdict.OPEN
        assert judge_at_most(single, 1e6) is Verdict.OPEN


def test_bounds_that_no_float_can_hold_are_infinite() -> None:
    """Ratios that differ beyond measure give an infinite upper and a zero lower bound instead of an error."""
    wild = paired_ratio([1e150, 1e-150], [1.0, 1.0])
    assert (wild.low, wild.high) == (0.0, math.inf)


@given(st.floats(-3, 3), positives, st.lists(st.floats(1, 1e3), min_size=3, max_size=8, unique=True))
def test_the_exponent_of_a_power_law_is_found(exponent: float, factor: float, x: list[float]) -> None:
    """Of y = c x^e, e is found, whatever c and the units are."""
    assume(max(x) / min(x) > 1.5)
    found = growth_exponent(x, [factor * value**exponent for value in x])
    assert found.mean == pytest.approx(exponent, abs=1e-6)
    assert found.low - 1e-9 <= found.mean <= found.high + 1e-9


@given(st.lists(st.tuples(st.floats(1, 1e3), positives), min_size=3, max_size=8))
def test_the_exponents_interval_is_that_of_the_regression(found: list[tuple[float, float]]) -> None:
    """Slope and bounds are those of scipy's linear regression of the logarithms."""
    x, y = np.array(found).T
    assume(np.std(np.log(x)) > 0.1)
    assume(np.std(np.log(y)) > 0.1)
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf(0.975, len(x) - 2) * fit.stderr
    assert numbers(growth_exponent(x, y)) == approx(Interval(fit.slope, fit.slope - half, fit.slope + half, len(x)))


@pytest.mark.parametrize(
    ("function", "arguments", "problem"),
    [
        (mean_interval, ([],), "no values"),
        (mean_interval, ([1.0, math.nan],), "finite"),
        (paired_difference, ([1.0, 2.0], [1.0]), "zip"),
        (paired_difference, ([], []), "no values"),
        (paired_difference, ([math.inf, 2.0], [1.0, 1.0]), "finite"),
        (paired_ratio, ([1.0, 2.0], [1.0]), "zip"),
        (paired_ratio, ([0.0, 2.0], [1.0, 1.0]), "positive"),
        (paired_ratio, ([1.0, 2.0], [1.0, -1.0]), "positive"),
        (paired_ratio, ([1.0, math.inf], [1.0, 1.0]), "finite"),
        (growth_exponent, ([1.0, 2.0], [1.0, 2.0]), "three points"),
        (growth_exponent, ([1.0, 2.0, 0.0], [1.0, 2.0, 3.0]), "positive"),
        (growth_exponent, ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]), "more than one x"),
    ],
)
def test_what_has_no_interval_is_refused(function: object, arguments: tuple[object, ...], problem: str) -> None:
    """Values that are missing, unpaired, not finite or, for a ratio, not positive, are refused."""
    with pytest.raises(ValueError, match=problem):
        function(*arguments)  # type: ignore[operator]


@given(ends, ends, ends)
def test_verdicts_follow_from_the_interval_alone(one: float, other: float, threshold: float) -> None:
    """A claim holds if the whole interval is on its side, fails if none of it is, and is open otherwise."""
    low, high = sorted((one, other))
    found = Interval((low + high) / 2, low, high, 5)
    wholly, nowhere = low >= threshold, high < threshold
    assert judge_at_least(found, threshold) is (Verdict.HOLDS if wholly else Verdict.FAILS if nowhere else Verdict.OPEN)
    mirrored = judge_at_most(Interval(-found.mean, -high, -low, 5), -threshold)
    assert mirrored is judge_at_least(found, threshold)


def test_an_interval_is_written_with_its_unit() -> None:
    """The estimate comes first, then the bounds."""
    assert Interval(1.2345, 1.1, 1.369, 4).text() == "1.23 [1.1, 1.37]"
    assert Interval(12345.6, 12000.0, 12691.2, 4).text(4, " s") == "1.235e+04 s [1.2e+04, 1.269e+04]"


def test_fractions_are_written_in_per_cent_and_in_points() -> None:
    """Per cent and points are a hundred times the fraction; points have a sign, what is tiny in per cent is 0."""
    assert Interval(0.0123, 0.0100, 0.0146, 4).percent() == "1.23 % [1, 1.46]"
    assert Interval(1e-6, -1e-6, 3e-6, 4).percent(2) == "0 % [-0, 0]"
    assert Interval(0.0123, -0.01, 0.0346, 4).points() == "+1.23 points [-1.00, +3.46]"
