"""Branch and bound on one cut layer, many nodes at a time."""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import replace

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.certainty import ClosedRegions, certain, exceeds, latency_bound_s
from epsl_opt.solvers.dual.interior_point import DualSolutions, maximise_duals
from epsl_opt.solvers.dual.lagrangian import CutProblem, Regions, subchannel_values
from epsl_opt.solvers.exact.branching import branch
from epsl_opt.solvers.exact.copies import copies_of
from epsl_opt.solvers.exact.node import Node, prices_of, regions_of
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s
from epsl_opt.solvers.primal.offering import offer_allocation
from epsl_opt.solvers.primal.rounding import assign_counts, nearest_counts

UNDECIDED = 0.1
WARM = 0.05
BATCH_ENTRIES = 60_000
"""Nodes solved together have about so many (client, subchannel) pairs in all."""


class CutTree:
    """The open nodes of a cut layer, least bound first."""

    def __init__(self, instance: Instance, cut: int, problem: CutProblem, root: DualSolutions) -> None:
        self.cut, self._instance, self._problem = cut, instance, problem
        everything = problem.everything()
        allowed = np.ones(problem.noise.shape, dtype=bool)
        copies = copies_of(problem)
        node = Node(everything.least[0], everything.most[0], allowed, float(root.bound_s[0]), root.prices, copies)
        self._order = itertools.count()
        self._open: list[tuple[float, int, Node]] = []
        self._closed = ClosedRegions()
        self._known_s = -math.inf
        self._push(node)
        self._batch = max(1, min(64, BATCH_ENTRIES // problem.noise.size))

    @property
    def bound_s(self) -> float:
        """A lower bound on every schedule at this cut layer, in seconds; inf once there can be none."""
        found = min(self._closed_s, self._open[0][0]) if self._open else self._closed_s
        return max(found, self._known_s)

    def raise_bound(self, bound_s: float) -> None:
        """Take in a bound of the whole cut layer from elsewhere."""
        self._known_s = max(self._known_s, bound_s)

    @property
    def _closed_s(self) -> float:
        """The least bound of all that is closed."""
        return self._closed.bound_s

    @property
    def exhausted(self) -> bool:
        """Whether no node is left to look at."""
        return not self._open

    def grow(self, cutoff_s: float, monitor: SolveMonitor) -> int:
        """Bound the most promising nodes, prune those that cannot beat `cutoff_s`, round and split the others.

        Returns how many nodes were bounded.
        """
        nodes = self._pop(cutoff_s)
        if not nodes:
            return 0
        accuracy = 0.05 * monitor.limits.rel_gap
        solved = maximise_duals(
            self._problem,
            regions_of(nodes),
            prices_of(nodes),
            cutoff_s=cutoff_s,
            rel_gap=max(accuracy, 1e-9),
            undecided=UNDECIDED,
            spread=WARM,
            stop=monitor.is_out_of_time,
        )
        bounded = [self._bounded(node, solved, n) for n, node in enumerate(nodes)]
        open_ = np.array([n for n, node in enumerate(bounded) if self._keeps(node, cutoff_s)], dtype=np.intp)
        if open_.size == 0:
            return len(nodes)
        self._round([bounded[n] for n in open_], solved.allocation[open_], monitor)
        for n in open_:
            self._split(bounded[n], float(solved.bound_s[n]), solved.allocation[n], cutoff_s)
        return len(nodes)

    def settle(self, bound_s: float) -> None:
        """Put the whole cut layer into the account with a bound from elsewhere; nothing is left to look at."""
        self._open, self._closed = [], ClosedRegions()
        self._closed.add(bound_s)

    def _pop(self, cutoff_s: float) -> list[Node]:
        nodes: list[Node] = []
        while self._open and len(nodes) < self._batch:
            node = heapq.heappop(self._open)[2]
            if self._keeps(node, cutoff_s):
                nodes.append(node)
        return nodes

    def _push(self, node: Node) -> None:
        heapq.heappush(self._open, (node.bound_s, next(self._order), node))

    def _keeps(self, node: Node, cutoff_s: float) -> bool:
        """Whether the node may hold something better; if not, its bound is remembered."""
        if not exceeds(node.bound_s, cutoff_s):
            return True
        self._closed.add(node.bound_s)
        return False

    def _bounded(self, node: Node, solved: DualSolutions, n: int) -> Node:
        """The node with its new bound (a region's parent's bound holds too) and prices."""
        index = np.array([n])
        return replace(node, bound_s=max(node.bound_s, float(solved.bound_s[n])), prices=solved.prices.take(index))

    def _round(self, nodes: list[Node], fractions: FloatArray, monitor: SolveMonitor) -> None:
        """Offer the best of the nodes' rounded allocations, if it is better than the incumbent."""
        owners = np.array([_rounded(node, fraction) for node, fraction in zip(nodes, fractions, strict=True)])
        latency = allocation_latencies_s(self._instance, self._problem.costs, owners)
        best = int(latency.argmin())
        if latency[best] < monitor.latency_s:
            offer_allocation(monitor, self._problem.costs, self.cut, owners[best])

    def _split(self, node: Node, price_bound_s: float, fraction: FloatArray, cutoff_s: float) -> None:
        """Forbid what the prices rule out, then branch; a leaf is closed with the latency it has."""
        narrowed = self._fixed(node, price_bound_s, cutoff_s)
        if narrowed is None:
            return
        if narrowed.is_leaf:
            owner: IntArray = narrowed.allowed.argmax(axis=0)
            latency = float(allocation_latencies_s(self._instance, self._problem.costs, owner[None, :])[0])
            self._closed.add(latency_bound_s(latency))
        else:
            for child in branch(narrowed, fraction):
                self._push(child)

    def _fixed(self, node: Node, price_bound_s: float, cutoff_s: float) -> Node | None:
        """Forbid every assignment that would raise the bound beyond the cutoff; None if nothing is left.

        At the node's prices, whose bound is `price_bound_s`, giving subchannel k to client i instead of to who pays
        most costs the difference. What is forbidden stays bounded by that.
        """
        region = Regions(node.least[None], node.most[None], node.allowed[None])
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number forbids nothing
            value = subchannel_values(self._problem, region, node.prices)[0]
            bound = price_bound_s + (value.max(axis=0) - value)
        forbidden = node.allowed & exceeds(certain(bound), cutoff_s)
        self._closed.add(float(bound.min(where=forbidden, initial=math.inf)))
        return replace(node, allowed=node.allowed & ~forbidden).tightened()


def _rounded(node: Node, fraction: FloatArray) -> IntArray:
    counts = nearest_counts(fraction.sum(axis=1), node.least, node.most)
    return assign_counts(np.where(node.allowed, fraction, 0.0), counts, node.allowed)
