"""Certified lower bounds of all cut layers of an instance, refined where it matters."""

from __future__ import annotations

import math
from collections.abc import Callable

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.solvers.dual.certainty import exceeds
from epsl_opt.solvers.dual.interior_point import DualSolutions, maximise_duals
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices, certified_bounds_s
from epsl_opt.solvers.dual.starting_prices import starting_prices, transferred_prices
from epsl_opt.solvers.primal.allocation import equal_density_power_w, filled, greedy_allocation
from epsl_opt.solvers.primal.cuts import bound_without_radio_s, feasible_cuts
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s

COLD = 0.3
NEAR = 0.01
"""How far from complementary to start from the prices of a neighbouring instance (`maximise_duals`)."""

ACCURACY = 1e-7


class CutBounds:
    """A bound and prices for every cut layer; refining one cut layer improves the others' through its prices.

    Parameters
    ----------
    instance
        Any instance that has a schedule.
    near
        The bounds of an instance much like this one. If it has as many clients, the prices of its refined cut layers,
        scaled by the traffic, are started from here where they bound better; no bound rests on it.

    Attributes
    ----------
    problem
        The data of each feasible cut layer, by index.
    bound_s
        The best certified bound of each so far, in seconds.
    guess, guess_s, first
        A greedy allocation, what it leaves free filled in; the latency of the greedy part alone at each cut layer, and
        the cut layer at which that is least.
    solution
        The dual solution of each cut layer that has been refined.
    """

    def __init__(self, instance: Instance, near: CutBounds | None = None) -> None:
        cuts = feasible_cuts(instance)
        self.problem = {cut: CutProblem.of(instance, costs) for cut, costs in cuts.items()}
        self.bound_s = {cut: bound_without_radio_s(costs) for cut, costs in cuts.items()}
        self.solution: dict[int, DualSolutions] = {}
        self._warm: set[int] = set()
        owner, self.guess_s = self._first_guess(instance)
        self.guess = filled(instance, owner)
        self.first = first = min(self.guess_s, key=self.guess_s.__getitem__)
        self._prices = {
            cut: starting_prices(instance, problem, self.guess)
            for cut, problem in self.problem.items()
            if cut == first or not _prices_all_of(self.problem[first], problem)
        }
        self._spread(first)
        if near is not None:
            self._start_near(near)

    def _start_near(self, near: CutBounds) -> None:
        """Take over the prices of a neighbour's refined cut layers where they bound better than what is here."""
        for cut in (near.solution.keys() | near._warm) & self.problem.keys():
            source, target = near.problem[cut], self.problem[cut]
            if len(source.max_power_w) != len(target.max_power_w) or not _prices_all_of(source, target):
                continue
            prices = transferred_prices(near.start(cut), source, target)
            bound = float(certified_bounds_s(target, target.everything(), prices)[0])
            if bound > self.bound_s[cut]:
                self.bound_s[cut], self._prices[cut] = bound, prices
                self._warm.add(cut)

    def _first_guess(self, instance: Instance) -> tuple[IntArray, dict[int, float]]:
        """The greedy allocation of the last cut layer, and its latency at each cut layer."""
        costs = {cut: problem.costs for cut, problem in self.problem.items()}
        owner = greedy_allocation(instance, costs[max(costs)], equal_density_power_w(instance))
        latency = {cut: allocation_latencies_s(instance, cost, owner[None, :]) for cut, cost in costs.items()}
        return owner, {cut: float(latency[cut][0]) for cut in costs}

    def radio_s(self, cut: int) -> float:
        """Seconds of the right order that a cut layer's two radio phases take."""
        radio = self.guess_s[cut] - bound_without_radio_s(self.problem[cut].costs)
        return radio if 0 < radio < math.inf else 1.0

    @property
    def least_s(self) -> float:
        """The bound on the whole instance: the least over its cut layers."""
        return min(self.bound_s.values())

    def start(self, cut: int) -> Prices:
        """The best prices known for a cut layer."""
        return self._prices[cut]

    def open_cuts(self, latency_s: float) -> list[int]:
        """Return the cut layers that may still beat `latency_s`, least bound first (the first guess before any)."""
        open_ = [cut for cut, bound in self.bound_s.items() if not exceeds(bound, latency_s)]
        return sorted(open_, key=lambda cut: (bool(self.solution) or cut != self.first, self.bound_s[cut]))

    def next_cut(self, latency_s: float) -> int | None:
        """Return the first of `open_cuts` that has not been refined, None if there is none."""
        return next((cut for cut in self.open_cuts(latency_s) if cut not in self.solution), None)

    def refine(
        self,
        cut: int,
        *,
        stop: Callable[[], bool],
        start: Prices | None = None,
        cutoff_s: float = math.inf,
        spread: float | None = None,
        rel_gap: float = ACCURACY,
    ) -> DualSolutions:
        """Maximise the dual of one cut layer from `start`, or the best prices known; stop beyond `cutoff_s`.

        `spread` is that of `maximise_duals`; by default it is small where a neighbour's prices are started from.
        """
        problem = self.problem[cut]
        if spread is None:
            spread = NEAR if start is None and cut in self._warm else COLD
        prices = self._prices[cut] if start is None else start
        found = maximise_duals(
            problem, problem.everything(), prices, cutoff_s=cutoff_s, spread=spread, rel_gap=rel_gap, stop=stop
        )
        self.solution[cut] = found
        if float(found.bound_s[0]) > self.bound_s[cut]:
            self.bound_s[cut], self._prices[cut] = float(found.bound_s[0]), found.prices
            self._spread(cut)
        return found

    def _spread(self, source: int) -> None:
        """Let every cut layer try the prices of `source`, scaled by its traffic."""
        for cut, problem in self.problem.items():
            prices = transferred_prices(self._prices[source], self.problem[source], problem)
            bound = float(certified_bounds_s(problem, problem.everything(), prices)[0])
            better = bound > self.bound_s[cut] and _prices_all_of(self.problem[source], problem)
            if better or cut not in self._prices:
                self._prices[cut] = prices
                self._warm.discard(cut)
            self.bound_s[cut] = max(self.bound_s[cut], bound)


def _prices_all_of(source: CutProblem, target: CutProblem) -> bool:
    """Whether a cut layer has traffic, and so prices, wherever another has."""
    pairs = (
        (getattr(source, kind), getattr(target, kind)) for kind in ("uplink_nats", "downlink_bits", "exchange_nats")
    )
    return all(given > 0 or wanted == 0 for given, wanted in pairs)
