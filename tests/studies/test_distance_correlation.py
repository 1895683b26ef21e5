"""Distance correlation against values that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epsl_opt.studies.cut_layer.distance_correlation import distance_correlation, u_centred_distances

SEEDS = st.integers(0, 2**20)


def sample(seed: int, n: int, dimension: int) -> np.ndarray:
    """Return standard normal samples."""
    return np.random.default_rng(seed).standard_normal((n, dimension))


def population(rho: float) -> float:
    """Return the squared distance correlation of a bivariate normal distribution (Székely et al. 2007, theorem 7)."""
    top = rho * math.asin(rho) + math.sqrt(1 - rho**2) - rho * math.asin(rho / 2) - math.sqrt(4 - rho**2) + 1
    return top / (1 + math.pi / 3 - math.sqrt(3))


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=st.integers(4, 30), dimension=st.integers(1, 5), scale=st.floats(0.01, 100))
def test_what_keeps_distances_keeps_everything(seed: int, n: int, dimension: int, scale: float) -> None:
    """Samples have the correlation 1 with themselves, shifted, rotated and scaled."""
    x = sample(seed, n, dimension)
    rotation = np.linalg.qr(sample(seed + 1, dimension, dimension))[0]
    assert distance_correlation(x, x) == pytest.approx(1)
    assert distance_correlation(x, scale * x @ rotation + 3) == pytest.approx(1)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS, n=st.integers(4, 30))
def test_order_of_pairs_and_of_arguments_does_not_matter(seed: int, n: int) -> None:
    """The measure is symmetric, and the same for pairs in another order and for samples of any shape."""
    x, y = sample(seed, n, 6), sample(seed + 1, n, 3)
    order = np.random.default_rng(seed).permutation(n)
    found = distance_correlation(x, y)
    assert distance_correlation(y, x) == pytest.approx(found)
    assert distance_correlation(x[order], y[order]) == pytest.approx(found)
    assert distance_correlation(x.reshape(n, 2, 3), y) == pytest.approx(found)


@pytest.mark.parametrize("dimension", [1, 200])
def test_independent_samples_have_none(dimension: int) -> None:
    """The mean over many independent samples is 0 within its error, in high dimension as well."""
    found = [distance_correlation(sample(2 * s, 20, dimension), sample(2 * s + 1, 20, dimension)) for s in range(300)]
    assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(len(found))
    assert np.std(found) > 0


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_normal_distribution_has_the_known_value(rho: float) -> None:
    """Two correlated normal variables have the squared distance correlation that theory gives."""
    x, noise = sample(1, 3000, 1), sample(2, 3000, 1)
    assert distance_correlation(x, rho * x + math.sqrt(1 - rho**2) * noise) == pytest.approx(population(rho), abs=0.02)


def test_dependence_that_is_not_linear_shows() -> None:
    """A square, which is uncorrelated with its root, is dependent on it."""
    x = sample(3, 500, 1)
    assert abs(np.corrcoef(x[:, 0], x[:, 0] ** 2)[0, 1]) < 0.15
    assert distance_correlation(x, x**2) > 0.2


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS, n=st.integers(4, 20))
def test_centring_by_hand(seed: int, n: int) -> None:
    """Centred distances are those of the definition, entry by entry, and every row sums to 0."""
    x = sample(seed, n, 2)
    distance = [[float(np.linalg.norm(p - q)) for q in x] for p in x]
    total = sum(map(sum, distance))
    expected = [
        [
            0.0
            if i == j
            else distance[i][j] - (sum(distance[i]) + sum(distance[j])) / (n - 2) + total / ((n - 1) * (n - 2))
            for j in range(n)
        ]
        for i in range(n)
    ]
    found = u_centred_distances(x)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-9)


def test_constant_samples_give_nothing_away() -> None:
    """Samples that are all the same have the correlation 0 with any."""
    assert distance_correlation(np.ones((5, 2)), sample(0, 5, 2)) == 0


@pytest.mark.parametrize("sizes", [(3, 3), (5, 4)])
def test_what_is_no_sample_of_pairs(sizes: tuple[int, int]) -> None:
    """Fewer than four pairs, or unequal numbers, are refused."""
    with pytest.raises(ValueError, match="four pairs"):
        distance_correlation(*(sample(0, n, 2) for n in sizes))
