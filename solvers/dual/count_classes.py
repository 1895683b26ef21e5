"""How many subchannels a client may hold, split into classes: ranges of counts, each with prices of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class CountClasses:
    """K classes, client by client: of `client`, who holds from `least` to `most` subchannels; shapes (classes,).

    A client's ranges ascend. Together they cover all the counts it may have, unless some were left out by `take`.
    """

    client: IntArray
    least: IntArray
    most: IntArray

    @classmethod
    def around(cls, counts: IntArray, least: IntArray, most: IntArray, n_classes: int) -> CountClasses:
        """Give the counts about `counts` a class each, and what is below and above them one each.

        Parameters
        ----------
        counts
            The count in the middle of each client's classes, shape (clients,).
        least, most
            What each client may hold, shape (clients,).
        n_classes
            Classes of a client, at most; a client with fewer counts has fewer.
        """
        first = np.maximum(counts - (n_classes - 1) // 2, least)
        start = np.minimum(first[:, None] + np.arange(n_classes), most[:, None])
        start[:, 0] = least
        end = np.column_stack([start[:, 1:] - 1, most])
        client, there = np.indices(start.shape)[0], start <= end
        return cls(client[there], start[there], end[there])

    @cached_property
    def first(self) -> IntArray:
        """Where each client's classes begin, shape (clients,)."""
        return np.flatnonzero(np.diff(self.client, prepend=-1))

    @cached_property
    def single(self) -> BoolArray:
        """Which classes are one count, shape (classes,)."""
        single: BoolArray = self.least == self.most
        return single

    def take(self, index: IntArray | BoolArray) -> CountClasses:
        """Some of the classes, at least one of each client."""
        return CountClasses(self.client[index], self.least[index], self.most[index])

    def per_client(self, value: FloatArray) -> FloatArray:
        """Sum over each client's classes, along the first axis."""
        total: FloatArray = np.add.reduceat(value, self.first, axis=0)
        return total

    def cheapest(self, cost: FloatArray) -> FloatArray:
        """The least cost over each client's classes, along the last axis."""
        least: FloatArray = np.minimum.reduceat(cost, self.first, axis=-1)
        return least

    def chosen(self, cost: FloatArray) -> IntArray:
        """The class of each client that costs least, shape (clients,)."""
        cheapest = cost == self.cheapest(cost)[self.client]
        index: IntArray = np.flatnonzero(cheapest)
        return index[np.unique(self.client[index], return_index=True)[1]]

    def count_of(self, chosen: IntArray) -> IntArray:
        """A count of each of the classes chosen, of a range the end next to the client's other classes."""
        last = np.append(self.first[1:], len(self.client)) - 1
        lowest = (chosen == self.first) & (chosen != last)
        count: IntArray = np.where(lowest, self.most[chosen], self.least[chosen])
        return count
