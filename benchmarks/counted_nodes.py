"""Counting the nodes that `exact` bounds, from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.exact.tree import CutTree


@contextmanager
def counted_nodes() -> Iterator[list[int]]:
    """Yield a list that gets the size of every batch of nodes bounded in the block."""
    batches: list[int] = []
    grow = CutTree.grow

    def counting(tree: CutTree, cutoff_s: float, monitor: SolveMonitor) -> int:
        nodes = grow(tree, cutoff_s, monitor)
        batches.append(nodes)
        return nodes

    CutTree.grow = counting  # type: ignore[method-assign]
    try:
        yield batches
    finally:
        CutTree.grow = grow  # type: ignore[method-assign]
