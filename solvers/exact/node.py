"""Nodes of the search tree of one cut layer: a region of the solution space, its bound, and prices to start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from epsl_opt.core.arrays import BoolArray, IntArray
from epsl_opt.solvers.dual.lagrangian import Prices, Regions


@dataclass(frozen=True, eq=False)
class Node:
    """One region: counts within [least, most], shape (clients,), on allowed subchannels, shape (clients, subchannels).

    `bound_s` holds for every schedule in the region; `prices` are one region's, from the parent. Within each group of
    `copies` (see `copies.copies_of`) no client holds more subchannels than one before it.
    """

    least: IntArray
    most: IntArray
    allowed: BoolArray
    bound_s: float
    prices: Prices
    copies: tuple[IntArray, ...] = ()

    def tightened(self) -> Node | None:
        """Draw what follows from counts and allowed subchannels; None if the region is empty.

        A client holds what nobody else may; a full client gets no more; a client that needs all it may have gets it;
        copies keep the order of their counts.
        """
        least, most, allowed = self.least, self.most, self.allowed
        while True:
            choices = allowed.sum(axis=0)
            certain = allowed & (choices == 1)
            least = np.maximum(least, certain.sum(axis=1))
            most = np.minimum(most, allowed.sum(axis=1))
            for group in self.copies:
                least[group] = np.maximum.accumulate(least[group][::-1])[::-1]
                most[group] = np.minimum.accumulate(most[group])
            least = np.maximum(least, len(choices) - (most.sum() - most))
            most = np.minimum(most, len(choices) - (least.sum() - least))
            if (choices == 0).any() or (least > most).any():
                return None
            narrowed = allowed & (certain | (certain.sum(axis=1) < most)[:, None])
            taken = (allowed.sum(axis=1) == least)[:, None] & allowed
            if (taken.sum(axis=0) > 1).any():
                return None
            narrowed &= taken | ~taken.any(axis=0)
            if (narrowed == allowed).all():
                return replace(self, least=least, most=most, allowed=allowed)
            allowed = narrowed

    def twins(self, client: int) -> IntArray:
        """The client and those copies that can exchange all they hold with it inside the region.

        Their counts are fixed and equal, so that the order of counts is kept, and they are allowed the same.
        """
        alike = (self.least == self.most) & (self.least == self.least[client]) & (self.most == self.most[client])
        alike &= (self.allowed == self.allowed[client]).all(axis=1)
        group = next((group for group in self.copies if client in group), np.arange(0))
        return np.union1d(client, group[alike[group]])

    @property
    def is_leaf(self) -> bool:
        """Whether the region holds a single allocation."""
        return bool((self.allowed.sum(axis=0) == 1).all())


def regions_of(nodes: Sequence[Node]) -> Regions:
    """Stack the nodes' regions."""
    allowed = np.array([node.allowed for node in nodes])
    everything = None if allowed.all() else allowed
    return Regions(np.array([node.least for node in nodes]), np.array([node.most for node in nodes]), everything)


def prices_of(nodes: Sequence[Node]) -> Prices:
    """Stack the nodes' prices."""
    return Prices(*(np.concatenate([getattr(node.prices, f.name) for node in nodes]) for f in fields(Prices)))
