"""Which client holds which training samples."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np

from epsl_opt.backends.datasets.apportion import apportion
from epsl_opt.backends.datasets.streams import Concern, stream
from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.errors import InputError

MIN_ALPHA, MAX_ALPHA = 1e-6, 1e6
"""Beyond, every class is with one client, or the proportions are the weights, whatever is drawn."""


class PartitionKind(StrEnum):
    """How samples fall to clients."""

    IID = "iid"
    """At random, as many to each client as its weight says."""
    DIRICHLET = "dirichlet"
    """Each class is shared out by proportions drawn from a Dirichlet distribution: label skew and unequal sizes."""
    SHARDS = "shards"
    """Sorted by label and cut into equal shards, some for each client (McMahan et al., AISTATS 2017)."""


def partition(
    labels: IntArray,
    kind: str,
    weights: Sequence[float] | FloatArray | IntArray,
    seed: int,
    *,
    alpha: float = 0.5,
    shards_per_client: int = 2,
) -> list[IntArray]:
    """Give every sample to exactly one client, and every client at least one sample.

    Parameters
    ----------
    labels
        Class of each sample, shape (samples,), from 0.
    kind
        A `PartitionKind`.
    weights
        Positive, shape (clients,): the clients' sample counts, say. `iid` gives sizes in proportion to them (within
        one sample); `dirichlet` does so in expectation; `shards` gives all clients the same.
    seed
        Of the draw, not negative.
    alpha
        For `dirichlet`: the proportions of a class are drawn with the concentrations alpha C w_i, where w_i are the
        weights scaled to the sum 1, that is alpha for every one of C equal clients. The smaller, the more skewed. A
        client that gets nothing takes a sample from the one that then has most.
    shards_per_client
        For `shards`.

    Returns
    -------
    list of IntArray
        For each client the indices of its samples, ascending.

    Raises
    ------
    InputError
        If there is no such kind, a parameter is out of range, or there are too few samples.
    """
    shares_wanted = _normalised(np.asarray(weights, dtype=np.float64))
    _check_range(kind, len(labels), len(shares_wanted), alpha, shards_per_client)
    rng = stream(seed, Concern.PARTITION)
    match PartitionKind(kind):
        case PartitionKind.IID:
            parts = _iid(labels, shares_wanted, rng)
        case PartitionKind.DIRICHLET:
            parts = _dirichlet(labels, shares_wanted, alpha, rng)
        case PartitionKind.SHARDS:
            parts = _shards(labels, len(shares_wanted), shards_per_client, rng)
    _feed_empty(parts)
    return [np.sort(part) for part in parts]


def shares(parts: Sequence[IntArray]) -> FloatArray:
    """Return lambda_i = |D_i| / |D|, shape (clients,)."""
    sizes = np.array([len(part) for part in parts], dtype=np.float64)
    found: FloatArray = sizes / sizes.sum()
    return found


def _normalised(weights: FloatArray) -> FloatArray:
    if weights.ndim != 1 or not len(weights) or not np.isfinite(weights).all() or (weights <= 0).any():
        raise InputError("partition", "must be one positive number a client", "weights")
    scaled: FloatArray = weights / weights.max()
    scaled /= scaled.sum()
    return scaled


def _check_range(kind: str, samples: int, clients: int, alpha: float, shards_per_client: int) -> None:
    if kind not in list(PartitionKind):
        raise InputError("partition", f"must be one of {', '.join(PartitionKind)}, got {kind!r}", "kind")
    if not MIN_ALPHA <= alpha <= MAX_ALPHA:
        raise InputError("partition", f"must be between {MIN_ALPHA:g} and {MAX_ALPHA:g}, got {alpha:g}", "alpha")
    if shards_per_client < 1:
        raise InputError("partition", f"must be at least 1, got {shards_per_client}", "shards_per_client")
    pieces = clients * shards_per_client if kind == PartitionKind.SHARDS else clients
    if samples < pieces:
        what = "shards" if kind == PartitionKind.SHARDS else "clients"
        raise InputError("partition", f"{samples} training samples are too few for {pieces} {what}")


def _iid(labels: IntArray, weights: FloatArray, rng: np.random.Generator) -> list[IntArray]:
    sizes = apportion(weights, len(labels))
    return _cut(rng.permutation(len(labels)), sizes)


def _dirichlet(labels: IntArray, weights: FloatArray, alpha: float, rng: np.random.Generator) -> list[IntArray]:
    """Sizes of the pieces of a class are its drawn proportions, rounded by the largest remainder."""
    pieces: list[list[IntArray]] = []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        proportions = rng.dirichlet(alpha * len(weights) * weights)
        pieces.append(_cut(members, apportion(proportions, len(members))))
    return [np.concatenate(of_client) for of_client in zip(*pieces, strict=True)]


def _shards(labels: IntArray, clients: int, shards_per_client: int, rng: np.random.Generator) -> list[IntArray]:
    """Samples of one label are in random order, so that shards of one label differ by seed."""
    shuffled = rng.permutation(len(labels))
    by_label = shuffled[np.argsort(labels[shuffled], kind="stable")]
    cut = np.array_split(by_label, clients * shards_per_client)
    drawn = rng.permutation(len(cut)).reshape(clients, shards_per_client)
    return [np.concatenate([cut[shard] for shard in of_client]) for of_client in drawn]


def _cut(indices: IntArray, sizes: IntArray) -> list[IntArray]:
    return np.split(indices, np.cumsum(sizes)[:-1])


def _feed_empty(parts: list[IntArray]) -> None:
    for i, part in enumerate(parts):
        if not len(part):
            richest = max(range(len(parts)), key=lambda k: len(parts[k]))
            parts[i], parts[richest] = parts[richest][-1:], parts[richest][:-1]
