"""A certified lower bound of one cut layer from prices per client and count: stronger than the Lagrangian dual's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.dual.count_classes import CountClasses
from epsl_opt.solvers.dual.count_interior_point import CountPrices, raise_count_dual
from epsl_opt.solvers.dual.count_iterate import CountIterate, starting_iterate
from epsl_opt.solvers.dual.count_model import OWN, CountModel, Shared, Units
from epsl_opt.solvers.dual.count_proof import CountProof, Phases, proven_level_s
from epsl_opt.solvers.dual.interior_point import DualSolutions
from epsl_opt.solvers.dual.lagrangian import ROUNDING, CutProblem, exchange_end, phase_ends, subchannel_values

N_CLASSES = 5
FIRST_SHARE = 0.7
"""Where between bound and goal the first phase ends are looked at."""

RESOLUTION = 1e-6
"""Phase ends are told apart to this part of the latency."""

STALLED = 0.01
"""A round of prices that raises the bound by less than this part of what it lacks counts as idle; two end it."""

MOST_ROUNDS = 40
RECENTRED = 2
SPREAD = 1.0
TIED = 1e-2


class CountBound:
    """The bound of one cut layer, raised round by round.

    Attributes
    ----------
    bound_s
        The best certified bound so far.
    """

    def __init__(self, problem: CutProblem, root: DualSolutions, bound_s: float) -> None:
        self._problem, self._prices, self.bound_s = problem, root.prices, bound_s
        self._units = Units.of(problem, root.prices)
        self._counts = root.allocation[0].sum(axis=1)
        self._kinds = [kind for kind in (_UPLINK, _DOWNLINK, _EXCHANGE) if self._traffic[kind] > 0]
        self._phases = self._phases_of()
        self._root_waits = self._waits_of_root()
        self._proofs = [self._proof_of_root()]
        self._model: CountModel | None = None
        self._central: CountIterate | None = None
        self._recentred = 0

    @property
    def _traffic(self) -> dict[str, float]:
        problem = self._problem
        return {_UPLINK: problem.uplink_nats, _DOWNLINK: problem.downlink_bits, _EXCHANGE: problem.exchange_nats}

    def _ready_s(self, kind: str) -> FloatArray:
        costs = self._problem.costs
        ready = {_UPLINK: costs.client_forward_s, _DOWNLINK: costs.client_backward_s}
        return ready.get(kind, np.zeros_like(costs.client_forward_s))

    def _phases_of(self) -> Phases:
        costs = self._problem.costs
        ready = [self._ready_s(kind) for kind in self._kinds]
        fixed_s = costs.shared_s + float(costs.client_forward_s.max()) + float(costs.client_backward_s.max())
        return Phases(np.array([each.max() - each for each in ready]), fixed_s)

    def _waits_of_root(self) -> FloatArray:
        problem, prices = self._problem, self._prices
        ends = {
            _UPLINK: phase_ends(problem.costs.client_forward_s, problem.uplink_nats * prices.uplink),
            _DOWNLINK: phase_ends(problem.costs.client_backward_s, problem.downlink_bits * prices.downlink),
            _EXCHANGE: exchange_end(problem, prices),
        }
        return np.array([ends[kind].slack_s[0].min() for kind in self._kinds])

    def _proof_of_root(self) -> CountProof:
        """The Lagrangian dual's own prices: one class of all counts."""
        problem, prices, units = self._problem, self._prices, self._units
        everything = problem.everything()
        model = CountModel(problem, CountClasses(everything.least.T, everything.most.T), units)
        own = np.zeros((len(problem.max_power_w), 1, OWN))
        own[:, 0, 0] = prices.rate[0] / units.rate
        own[:, 0, 1] = prices.downlink[0] / units.downlink
        own[:, 0, 2] = prices.power[0] / units.budget
        value = subchannel_values(problem, everything, prices)[0].max(axis=0)
        shared = Shared(value / units.second, float(prices.total_power[0]) / units.total)
        proof = CountProof(model, self._phases)
        in_uplink = np.divide(prices.uplink, prices.rate, out=np.ones_like(prices.uplink), where=prices.rate > 0)[0]
        proof.add(own, self._priced_traffic(own, in_uplink), shared)
        return proof

    def _priced_traffic(self, own: FloatArray, in_uplink: FloatArray) -> FloatArray:
        """Price times traffic of the phases in units, shape (phases, clients, classes).

        `in_uplink` is the part of each client's rate price that is for the uplink phase, the rest is for the exchange.
        """
        units, traffic = self._units, self._traffic
        rate = own[..., 0] * (units.rate / units.second)[:, None]
        downlink = own[..., 1] * (units.downlink / units.second)[:, None]
        priced = {
            _UPLINK: rate * in_uplink[:, None],
            _DOWNLINK: downlink,
            _EXCHANGE: rate * (1 - in_uplink)[:, None],
        }
        return np.array([traffic[kind] * priced[kind] for kind in self._kinds])

    def _needs(self, waits: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rates needed at phase ends, up and down, and which part of the first is for the uplink phase."""
        slack = dict(zip(self._kinds, waits[:, None] + self._phases.head_start_s, strict=True))
        nothing = np.zeros_like(self._problem.max_power_w)
        need = {kind: self._traffic[kind] / slack[kind] for kind in self._kinds}
        first, last = need.get(_UPLINK, nothing), need.get(_EXCHANGE, nothing)
        prices = self._prices
        root = np.divide(prices.uplink, prices.rate, out=np.ones_like(prices.uplink), where=prices.rate > 0)[0]
        tied = np.abs(first - last) < TIED * np.maximum(first, last)
        in_uplink = np.where(tied, root, first > last)
        return in_uplink * first + (1 - in_uplink) * last, need.get(_DOWNLINK, nothing), in_uplink

    def improve(
        self,
        target_s: float,
        stop: Callable[[], bool] = lambda: False,
        tell: Callable[[float], None] = lambda bound_s: None,
    ) -> float:
        """Raise the bound towards `target_s`, as far as it goes; `tell` is given every new bound."""
        fixed_s = self._phases.fixed_s
        wanted_s = target_s * (1 + 2 * ROUNDING) - fixed_s
        known_s = max(self.bound_s - fixed_s, 0.0)
        level_s = float(self._root_waits.sum())
        first_s = level_s + FIRST_SHARE * max(wanted_s - known_s, 0.0)
        waits = self._root_waits * (first_s / level_s) if level_s > 0 else np.full(len(self._kinds), first_s)
        idle = 0
        for _ in range(MOST_ROUNDS):
            if stop() or idle > 1 or known_s >= wanted_s:
                break
            self._look_at(waits, stop)
            reached_s, waits = proven_level_s(
                self._proofs, known_s, wanted_s, len(self._kinds), RESOLUTION * (fixed_s + wanted_s)
            )
            idle = 0 if reached_s - known_s > STALLED * (wanted_s - known_s) else idle + 1
            known_s = max(known_s, reached_s)
            found_s = (fixed_s + known_s) * (1 - ROUNDING)
            if found_s > self.bound_s:
                self.bound_s = found_s
                tell(found_s)
        return self.bound_s

    def _look_at(self, waits: FloatArray, stop: Callable[[], bool]) -> None:
        """Find prices at these waits, with the classes around the counts that are cheapest there."""
        rate, downlink, in_uplink = self._needs(waits)
        while True:
            model = self._model or self._new_model(np.round(self._counts).astype(np.intp))
            limits = model.limits(rate, downlink)
            start = self._central or self._start(model, limits)
            found: CountPrices = raise_count_dual(model, limits, start, stop)
            self._central = found.central
            self._proofs[-1].add(found.own, self._priced_traffic(found.own, in_uplink), found.shared)
            cost = self._proofs[-1].class_costs(waits)
            chosen = cost.argmin(axis=1)
            outside = (chosen == 0) & ~model.single[:, 0] | (chosen == N_CLASSES - 1) & ~model.single[:, -1]
            if self._recentred >= RECENTRED or not outside.any() or stop():
                return
            self._recentred += 1
            self._new_model(model.classes.middle(chosen))

    def _new_model(self, counts: np.ndarray) -> CountModel:
        everything = self._problem.everything()
        classes = CountClasses.around(counts, everything.least[0], everything.most[0], N_CLASSES)
        self._model, self._central = CountModel(self._problem, classes, self._units), None
        self._proofs.append(CountProof(self._model, self._phases))
        return self._model

    def _start(self, model: CountModel, limits: FloatArray) -> CountIterate:
        problem, prices, units = self._problem, self._prices, self._units
        own = np.zeros((*model.shape[:2], OWN))
        own[..., 0] = (prices.rate[0] / units.rate)[:, None]
        own[..., 1] = (prices.downlink[0] / units.downlink)[:, None]
        own[..., 2] = (prices.power[0] / units.budget)[:, None]
        value = subchannel_values(problem, problem.everything(), prices)[0].max(axis=0)
        inside = (model.classes.least <= self._counts[:, None]) & (self._counts[:, None] < model.classes.most + 1)
        share = 0.2 + inside
        share /= share.sum(axis=1, keepdims=True)
        total = float(prices.total_power[0]) / units.total
        return starting_iterate(model, own, value / units.second, total, share, limits, SPREAD)


_UPLINK, _DOWNLINK, _EXCHANGE = "uplink", "downlink", "exchange"
