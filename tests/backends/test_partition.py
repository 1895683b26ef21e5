"""Every sample falls to exactly one client, in the way the kind of partition promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.backends.datasets.apportion import apportion
from epsl_opt.backends.datasets.partition import PartitionKind, partition, shares
from epsl_opt.core.arrays import IntArray

KINDS = st.sampled_from(list(PartitionKind))
SEEDS = st.integers(0, 2**64)
ALPHAS = st.floats(-6, 6).map(lambda exponent: min(max(10**exponent, 1e-6), 1e6))
TEN_CLASSES = np.repeat(np.arange(10), 100)


@st.composite
def labels_and_weights(draw: st.DrawFn) -> tuple[IntArray, list[float]]:
    """Labels of some classes, gaps among them, and positive weights of at most half as many clients."""
    labels = draw(st.lists(st.integers(0, 6), min_size=2, max_size=60))
    clients = draw(st.integers(1, len(labels) // 2))
    weights = draw(st.lists(st.integers(1, 10**6), min_size=clients, max_size=clients))
    return np.array(labels), [float(weight) for weight in weights]


@given(labels_and_weights(), KINDS, SEEDS, ALPHAS)
def test_every_sample_falls_to_exactly_one_client(
    data: tuple[IntArray, list[float]], kind: PartitionKind, seed: int, alpha: float
) -> None:
    """The parts are ascending, disjoint, cover everything, and none is empty."""
    labels, weights = data
    parts = partition(labels, kind, weights, seed, alpha=alpha)
    assert len(parts) == len(weights)
    assert all(len(part) and (np.diff(part) > 0).all() for part in parts)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))


@given(labels_and_weights(), KINDS, SEEDS)
def test_equal_seeds_give_equal_parts(data: tuple[IntArray, list[float]], kind: PartitionKind, seed: int) -> None:
    """A partition is a function of its arguments, and the unit of the weights is no matter."""
    labels, weights = data
    again = partition(labels, str(kind), np.array(weights) * 4, seed)
    assert all(map(np.array_equal, partition(labels, kind, weights, seed), again))


@pytest.mark.parametrize("kind", PartitionKind)
def test_another_seed_gives_other_parts(kind: PartitionKind) -> None:
    """The seed decides who holds what."""
    first, second = (partition(TEN_CLASSES, kind, [1] * 5, seed) for seed in (1, 2))
    assert not all(map(np.array_equal, first, second))


@given(labels_and_weights(), SEEDS)
def test_iid_sizes_follow_the_weights(data: tuple[IntArray, list[float]], seed: int) -> None:
    """Each size is within one sample of its quota, unless clients had to be given their only sample."""
    labels, weights = data
    quotas = np.array(weights) / sum(weights) * len(labels)
    sizes = np.array([len(part) for part in partition(labels, PartitionKind.IID, weights, seed)])
    if (apportion(quotas, len(labels)) > 0).all():
        assert (abs(sizes - quotas) < 1 + 1e-9).all()
    else:
        assert (sizes[quotas < 1] == 1).all()


def test_iid_mixes_the_classes() -> None:
    """Over many samples each client's mix of classes is near that of all (within five standard deviations)."""
    for part in partition(np.repeat(np.arange(4), 5000), PartitionKind.IID, [1, 2, 3], 0):
        mix = np.bincount(part // 5000, minlength=4) / len(part)
        assert (abs(mix - 0.25) < 5 * np.sqrt(0.25 * 0.75 / len(part))).all()


def test_less_alpha_is_more_skew() -> None:
    """The share of a client's most frequent class falls with alpha, down to that of equal frequencies."""
    skew = []
    for alpha in (1e-3, 0.1, 1.0, 10.0, 1e6):
        parts = [part for seed in range(5) for part in partition(TEN_CLASSES, "dirichlet", [1] * 5, seed, alpha=alpha)]
        skew.append(np.mean([np.bincount(TEN_CLASSES[part]).max() / len(part) for part in parts]))
    assert skew == sorted(skew, reverse=True)
    assert skew[0] > 0.6
    assert skew[-1] == pytest.approx(0.1, abs=0.005)


def test_dirichlet_without_skew_follows_the_weights() -> None:
    """With a huge alpha every class is shared out in proportion to the weights."""
    for part, share in zip(partition(TEN_CLASSES, "dirichlet", [1, 2, 7], 0, alpha=1e6), (0.1, 0.2, 0.7), strict=True):
        assert np.bincount(TEN_CLASSES[part], minlength=10) / 100 == pytest.approx(np.full(10, share), abs=0.02)


def test_dirichlet_proportions_have_the_variance_of_their_distribution() -> None:
    """For C equal clients a proportion has the mean 1/C and the variance (1/C)(1 - 1/C) / (C alpha + 1)."""
    labels, C, alpha = np.repeat(np.arange(200), 100), 4, 0.5
    parts = partition(labels, PartitionKind.DIRICHLET, [1] * C, 3, alpha=alpha)
    proportions = np.array([np.bincount(labels[part], minlength=200) / 100 for part in parts])
    assert proportions.mean() == pytest.approx(1 / C)
    assert proportions.var() == pytest.approx((1 / C) * (1 - 1 / C) / (C * alpha + 1), rel=0.15)


def test_a_client_that_drew_nothing_takes_one_sample_of_the_richest() -> None:
    """One class that a tiny alpha gives to one client leaves every other client a single sample."""
    sizes = sorted(map(len, partition(np.zeros(50, dtype=np.intp), "dirichlet", [1] * 8, 0, alpha=1e-6)))
    assert sizes == [1] * 7 + [43]


@given(st.integers(1, 5), st.integers(1, 4), SEEDS)
def test_shards_hold_neighbouring_labels(clients: int, shards_per_client: int, seed: int) -> None:
    """With a class as large as a shard, each client holds just as many whole classes as it gets shards."""
    pieces = clients * shards_per_client
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(pieces), 6))
    parts = partition(labels, PartitionKind.SHARDS, [1] * clients, seed, shards_per_client=shards_per_client)
    assert [len(np.unique(labels[part])) for part in parts] == [shards_per_client] * clients
    assert [len(part) for part in parts] == [6 * shards_per_client] * clients


def test_shares_are_the_sizes_over_their_sum() -> None:
    """lambda_i = |D_i| / |D|."""
    assert shares([np.arange(1), np.arange(4), np.arange(3)]).tolist() == [0.125, 0.5, 0.375]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any), st.integers(0, 10**6))
def test_apportioning_stays_within_one_of_the_quota(weights: list[int], total: int) -> None:
    """The entries add up to the total, each is its quota rounded down or up, and a weight of 0 gets nothing."""
    found = apportion(np.array(weights), total)
    assert int(found.sum()) == total
    for entry, weight in zip(found.tolist(), weights, strict=True):
        assert abs(entry * sum(weights) - weight * total) < sum(weights) * (1 + 1e-6)
        assert weight or not entry


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "idd"}, r"^partition: kind: must be one of iid, dirichlet, shards, got 'idd'$"),
        ({"weights": [1, 0]}, r"^partition: weights: must be one positive number a client$"),
        ({"weights": []}, r"^partition: weights: "),
        ({"weights": [1, np.nan]}, r"^partition: weights: "),
        ({"alpha": 0.0}, r"^partition: alpha: must be between 1e-06 and 1e\+06, got 0$"),
        ({"alpha": np.nan}, r"^partition: alpha: "),
        ({"shards_per_client": 0}, r"^partition: shards_per_client: must be at least 1, got 0$"),
        ({"weights": [1] * 11}, r"^partition: 10 training samples are too few for 11 clients$"),
        ({"kind": "shards", "weights": [1] * 6}, r"^partition: 10 training samples are too few for 12 shards$"),
    ],
)
def test_what_can_not_be_partitioned_is_one_line(arguments: dict[str, object], message: str) -> None:
    """A bad argument or too few samples is an error that names the field and the numbers."""
    with pytest.raises(InputError, match=message):
        partition(np.arange(10), **({"kind": "iid", "weights": [1, 1], "seed": 0} | arguments))  # type: ignore[arg-type]
