"""Test samples are held out class by class and group by group; the scale comes from training samples alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.backends.datasets import samples as samples_module
from epsl_opt.backends.datasets.samples import Samples, moments, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.core.arrays import IntArray

FRACTIONS = st.floats(0.05, 0.5)
SEEDS = st.integers(0, 2**32)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[IntArray, IntArray]:
    """Labels and groups of some samples; a group has one label and is not in one place."""
    group_labels = draw(st.lists(st.integers(0, 4), min_size=1, max_size=25))
    groups = np.array(draw(st.lists(st.integers(0, len(group_labels) - 1), min_size=1, max_size=80)))
    return np.array(group_labels)[groups], groups


@given(grouped(), FRACTIONS, SEEDS)
def test_no_group_is_on_both_sides(data: tuple[IntArray, IntArray], fraction: float, seed: int) -> None:
    """Training and test samples are all samples, once each, and share no group."""
    labels, groups = data
    train, test = split(labels, fraction, seed, groups)
    assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(labels)))
    assert not set(groups[train]) & set(groups[test])


@given(grouped(), FRACTIONS, SEEDS)
def test_every_class_keeps_training_samples(data: tuple[IntArray, IntArray], fraction: float, seed: int) -> None:
    """No class is only tested with, and none is held out beyond its quota."""
    labels, groups = data
    train, test = split(labels, fraction, seed, groups)
    assert set(labels[train]) == set(labels)
    assert (np.bincount(labels[test], minlength=5) < fraction * np.bincount(labels, minlength=5) + 1).all()


@given(st.lists(st.integers(2, 50), min_size=1, max_size=6), FRACTIONS, SEEDS)
def test_without_groups_the_fraction_is_met(counts: list[int], fraction: float, seed: int) -> None:
    """All in all it is the rounded fraction, and of each class within one sample of it."""
    labels = np.repeat(np.arange(len(counts)), counts)
    _, test = split(labels, fraction, seed)
    held_out = np.bincount(labels[test], minlength=len(counts))
    assert len(test) == round(fraction * len(labels))
    assert (abs(held_out - fraction * np.array(counts)) < 1.5).all()


def test_the_seed_decides_who_is_held_out() -> None:
    """Equal seeds hold the same samples out, another seed others."""
    labels = np.repeat(np.arange(5), 40)
    (_, first), (_, again), (_, other) = (split(labels, 0.2, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("shape", [(50, 3), (50, 3, 4, 5)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_scale_comes_from_the_training_samples(shape: tuple[int, ...], dtype: type) -> None:
    """Every channel of the training samples gets mean 0 and deviation 1; the test samples go the same way."""
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 256, shape) // np.array([1, 2, 40]).reshape(-1, *(1 for _ in shape[2:]))).astype(dtype)
    train, test = Samples(x[:30], np.arange(30) % 2), Samples(x[30:], np.arange(20) % 2)
    data = normalised("drawn", train, test, ("a", "b"))
    axes = (0, *range(2, len(shape)))
    raw = x[:30].astype(np.float64)
    mean, deviation = raw.mean(axis=axes, keepdims=True), raw.std(axis=axes, keepdims=True)
    assert data.train_x.dtype == data.test_x.dtype == np.float32
    assert data.train_x.mean(axis=axes) == pytest.approx(np.zeros(3), abs=1e-5)
    assert data.train_x.std(axis=axes) == pytest.approx(np.ones(3), rel=1e-5)
    assert data.test_x == pytest.approx((x[30:] - mean) / deviation, abs=1e-5)


def test_moments_in_pieces_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few samples are summed at once, mean and deviation agree with NumPy's, far from zero too."""
    x = np.random.default_rng(0).normal(1e4, 0.5, (101, 2, 3, 3)).astype(np.float32)
    monkeypatch.setattr(samples_module, "ROWS_AT_ONCE", 7)
    mean, deviation = moments(x)
    assert mean == pytest.approx(x.mean(axis=(0, 2, 3), dtype=np.float64), rel=1e-12)
    assert deviation == pytest.approx(x.std(axis=(0, 2, 3), dtype=np.float64), rel=1e-8)


def test_a_channel_without_variation_is_only_shifted() -> None:
    """A constant channel becomes 0 where samples are trained on, and nothing is divided by zero."""
    flat = Samples(np.full((4, 1, 2, 2), 7, dtype=np.uint8), np.array([0, 1, 0, 1]))
    data = normalised("flat", flat, Samples(flat.x + np.uint8(2), flat.y), ("a", "b"))
    assert not data.train_x.any()
    assert (data.test_x == 2).all()


def test_nothing_to_test_with_is_an_error() -> None:
    """A side without samples is refused with both counts."""
    some = Samples(np.zeros((1, 2), dtype=np.float32), np.array([0]))
    with pytest.raises(InputError, match=r"^task x: leaves 1 training and 0 test samples$"):
        normalised("x", some, some.take(np.array([], dtype=np.intp)), ("a",))
