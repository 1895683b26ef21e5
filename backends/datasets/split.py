"""Holding out test samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from epsl_opt.backends.datasets.apportion import apportion
from epsl_opt.backends.datasets.streams import Concern, stream
from epsl_opt.core.arrays import IntArray


def split(
    labels: IntArray, test_fraction: float, seed: int, groups: NDArray[np.generic] | None = None
) -> tuple[IntArray, IntArray]:
    """Split samples into training and test, the same fraction of each class, without dividing a group.

    Parameters
    ----------
    labels
        Class of each sample, shape (samples,), from 0. A group counts as the class of its first sample.
    test_fraction
        In (0, 1); the test quotas of the classes come from it by the largest remainder.
    seed
        Of the draw, not negative.
    groups
        What belongs together, shape (samples,); None: every sample is on its own, and quotas are met exactly. Else
        groups are drawn at random while they fit into what is left of their class's quota.

    Returns
    -------
    train, test
        Indices, ascending. Every class that there is keeps at least one group to train on.
    """
    of_sample = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    first, size = np.unique(of_sample, return_index=True)[1], np.bincount(of_sample)
    label = labels[first]
    counts = np.bincount(label, weights=size).astype(np.intp)
    room = np.minimum(apportion(counts, round(test_fraction * len(labels))), np.maximum(counts - 1, 0))
    held_out = np.zeros(len(size), dtype=np.bool_)
    for group in stream(seed, Concern.SPLIT).permutation(len(size)):
        if size[group] <= room[label[group]]:
            held_out[group] = True
            room[label[group]] -= size[group]
    test = held_out[of_sample]
    return np.flatnonzero(~test), np.flatnonzero(test)
