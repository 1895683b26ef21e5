"""How many subchannels a client may hold, split into classes: ranges of counts, each with prices of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import IntArray


@dataclass(frozen=True, eq=False)
class CountClasses:
    """For each of C clients the ranges [least, most] of counts of its W classes, shape (clients, classes).

    A client's ranges ascend and cover all the counts it may have; where there are fewer counts than classes, the last
    range is there more than once.
    """

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
            W, at least 2.
        """
        first = np.maximum(counts - (n_classes - 1) // 2, least)
        start = np.minimum(first[:, None] + np.arange(n_classes), most[:, None])
        start[:, 0] = least
        end = np.column_stack([start[:, 1:] - 1, most])
        return cls(start, np.maximum(start, end))

    def middle(self, chosen: IntArray) -> IntArray:
        """The counts of the classes chosen, shape (clients,): of a range its end next to the others."""
        client = np.arange(len(chosen))
        count: IntArray = np.where(chosen == 0, self.most[client, chosen], self.least[client, chosen])
        return count
