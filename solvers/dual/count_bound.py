"""A certified lower bound of one cut layer from prices per client and count: stronger than the Lagrangian dual's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.dual.count_classes import CountClasses
from epsl_opt.solvers.dual.count_interior_point import raise_count_dual
from epsl_opt.solvers.dual.count_iterate import starting_iterate
from epsl_opt.solvers.dual.count_model import CountModel, Shared, Units
from epsl_opt.solvers.dual.count_phases import Phases
from epsl_opt.solvers.dual.count_proof import CountProof, proven_level_s
from epsl_opt.solvers.dual.count_start import AGAIN, ANEW, ROUGHLY, class_costs, sharpened
from epsl_opt.solvers.dual.interior_point import DualSolutions
from epsl_opt.solvers.dual.lagrangian import ROUNDING, CutProblem, subchannel_values

N_CLASSES = 7
FIRST_SHARE = 0.7
"""Where between bound and goal the first phase ends are looked at."""

RESOLUTION = 1e-6
"""Phase ends are told apart to this part of the latency."""

STAGES = ((1e-2, 0.5), (3e-3, 0.7), (1e-3, 1.0), (3e-4, 2.0), (1e-4, 4.0))
"""Accuracy of the prices, and how near to its client's cheapest a class is active, in average prices of a subchannel.

The next stage comes once phase ends are not ruled out by prices made for them; the search ends with the last."""

SLOW = 0.003
"""Nor is it worth going on like this if a round raises the bound by less than this part of what it lacks."""

MOST_ROUNDS = 100
RECENTRED = 1
MANY = 0.01
"""Classes are made anew around other counts if those of more than this part of the clients lie outside."""

MOST_CORRECTIONS = 2
STEP_WORK, SHARPENING_WORK = 0.7, 3.0
"""Of a class per client, in steps of the Lagrangian dual's interior-point method."""

SPREAD = 0.3
INDIFFERENT = 0.3
"""Classes that cost so much more than another are a little less likely to start from."""


class CountBound:
    """The bound of one cut layer, raised round by round.

    Parameters
    ----------
    problem
        The cut layer; some client must send or receive.
    root
        Its Lagrangian relaxation, solved.
    bound_s
        A bound that is known.

    Attributes
    ----------
    bound_s
        The best certified bound so far, in seconds.
    allocation
        How much of each subchannel each client holds where prices were found last, shape (clients, subchannels); None
        before. Near the end it is nearly whole.
    work
        What was done so far, in steps of the Lagrangian dual's interior-point method for one region, about.
    """

    @np.errstate(all="ignore")  # what is not finite ends the search: `_sound`
    def __init__(self, problem: CutProblem, root: DualSolutions, bound_s: float) -> None:
        self._problem, self.bound_s = problem, bound_s
        self._units = Units.of(problem, root.prices)
        self._counts = root.allocation[0].sum(axis=1)
        self._phases = Phases(problem, root.prices)
        value = subchannel_values(problem, problem.everything(), root.prices)[0].max(axis=0)
        total = float(root.prices.total_power[0])
        self._root_shared = Shared(value / self._units.second, total / self._units.total)
        self._proofs = [self._proof_of_root()]
        self._shared = self._root_shared
        self._model: CountModel | None = None
        self._recentred = self._rounds = 0
        self._stages = list(STAGES) if self._sound(self._phases.waits_s) else []
        self.allocation: FloatArray | None = None
        self.work = 0.0
        self._waits: FloatArray | None = None

    def _proof_of_root(self) -> CountProof:
        """What the Lagrangian dual's own prices prove: one class a client, of all its counts."""
        everything, client, phases = self._problem.everything(), np.arange(len(self._counts)), self._phases
        classes = CountClasses(client, everything.least[0], everything.most[0])
        model = CountModel(self._problem, classes, self._units)
        proof, own = CountProof(model, phases.head_start_s), phases.own_prices(self._units, client)
        proof.add_own(client, own, phases.priced_traffic(model, own, phases.in_uplink))
        proof.add_shared(self._root_shared, phases.waits_s)
        return proof

    @property
    def exhausted(self) -> bool:
        """Whether nothing more is to be had, at least nothing that is worth its time."""
        return not self._stages or self._rounds >= MOST_ROUNDS

    def _sound(self, waits: FloatArray) -> bool:
        """Whether what clients pay at these waits is within the range of numbers."""
        proof = self._proofs[-1]
        least = proof.classes.cheapest(proof.class_costs(waits, -1))
        return bool(np.isfinite(least).all() and np.isfinite(waits).all() and (waits > 0).all())

    @np.errstate(all="ignore")
    def raise_towards(self, target_s: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Look at one more vector of phase ends, and raise the bound as far as that leads.

        Parameters
        ----------
        target_s
            A bound beyond this is of no interest; finite.
        stop
            Asked now and then whether time is up.
        """
        fixed_s = self._phases.fixed_s
        wanted_s = target_s * (1 + 2 * ROUNDING) - fixed_s
        known_s = max(self.bound_s - fixed_s, 0.0)
        if known_s >= wanted_s:
            return
        if self._waits is None:
            self._waits = self._first_waits(known_s, wanted_s)
        self._rounds += 1
        self._look_at(self._waits, *self._stages[0], stop)
        if not self._sound(self._waits):
            self._stages.clear()
            return
        hopeless = self._proofs[-1].ruled_out(self._waits[None, :])[0] <= 0
        resolution_s = RESOLUTION * (fixed_s + wanted_s)
        level_s, gap = proven_level_s(self._proofs, known_s, wanted_s, len(self._phases.kinds), resolution_s)
        self._waits = gap if gap.size else self._waits
        if not stop() and (hopeless or level_s - known_s < SLOW * (wanted_s - known_s)):
            del self._stages[0]
        self.bound_s = max(self.bound_s, (fixed_s + max(level_s, known_s)) * (1 - ROUNDING))

    def _first_waits(self, known_s: float, wanted_s: float) -> FloatArray:
        """On the way from the relaxation's phase ends to longer ones in the same proportion."""
        level_s = float(self._phases.waits_s.sum())
        first_s = level_s + FIRST_SHARE * (wanted_s - known_s)
        if level_s > 0:
            return self._phases.waits_s * (first_s / level_s)
        return np.full(len(self._phases.kinds), first_s / len(self._phases.kinds))

    def _look_at(self, waits: FloatArray, accuracy: float, near: float, stop: Callable[[], bool]) -> None:
        """Find prices at these waits, with the classes around the counts that are cheapest there."""
        model = self._model or self._first_model(waits)
        if not self._sound(waits) or self._sharpened(model, waits, near):
            return
        active = self._active(model, waits, near)
        for _ in range(MOST_CORRECTIONS):
            self._price(model, waits, active, accuracy, stop)
            if stop() or not self._sound(waits):
                return
            chosen = model.classes.chosen(self._proofs[-1].class_costs(waits, -1))
            if self._recentred < RECENTRED and self._outside(model.classes, chosen).mean() > MANY:
                self._recentred += 1
                model = self._centre(model.classes.count_of(chosen), waits)
                active = self._active(model, waits, near)
            elif not active[chosen].all():
                active[chosen] = True
            else:
                return

    def _first_model(self, waits: FloatArray) -> CountModel:
        """Classes around the relaxation's counts, or those that are cheapest at its prices."""
        model = self._centre(np.round(self._counts).astype(np.intp), waits, ROUGHLY)
        if not self._sound(waits):
            return model
        chosen = model.classes.chosen(self._proofs[-1].class_costs(waits, -1))
        if not self._outside(model.classes, chosen).any():
            return model
        return self._centre(model.classes.count_of(chosen), waits)

    def _sharpened(self, model: CountModel, waits: FloatArray, near: float) -> bool:
        """Whether better own prices alone, with the shared ones made for waits nearby, rule these waits out."""
        proof = self._proofs[-1]
        n = proof.nearest_shared(waits)
        self._shared = proof.shared(n)
        active = np.flatnonzero(self._active(model, waits, near))
        needs, some = self._phases.needs(waits), model.take(active)
        own = sharpened(some, some.limits(needs.rate, needs.downlink), self._own[active], self._shared, AGAIN)
        proof.add_own(active, own, self._phases.priced_traffic(some, own, needs.in_uplink))
        self._own[active] = own
        self.work += SHARPENING_WORK * len(active) / len(self._counts)
        return bool(proof.ruled_out(waits[None, :])[0] > 0)

    @staticmethod
    def _outside(classes: CountClasses, chosen: IntArray) -> BoolArray:
        """Which of the classes chosen are ranges beside others: the counts within should have classes of their own."""
        alone = np.bincount(classes.client)[classes.client] == 1
        outside: BoolArray = (~classes.single & ~alone)[chosen]
        return outside

    def _active(self, model: CountModel, waits: FloatArray, near: float) -> BoolArray:
        """Which classes may be a client's cheapest; the others keep the prices they have."""
        proof = self._proofs[-1]
        cost = proof.class_costs(waits, proof.nearest_shared(waits))
        active: BoolArray = ~(cost > model.classes.cheapest(cost)[model.classes.client] + near)
        return active

    def _price(
        self, everyone: CountModel, waits: FloatArray, active: BoolArray, accuracy: float, stop: Callable[[], bool]
    ) -> None:
        """Raise the dual of the active classes and enter what is found."""
        needs, model = self._phases.needs(waits), everyone.take(active)
        limits, classes = model.limits(needs.rate, needs.downlink), model.classes
        cost = class_costs(model, limits, self._own[active], self._shared)
        share = 0.01 + np.exp((classes.cheapest(cost)[classes.client] - cost) / INDIFFERENT)
        share /= classes.per_client(share)[classes.client]
        start = starting_iterate(model, self._own[active], self._shared, share, limits, SPREAD)
        found = raise_count_dual(model, limits, start, accuracy, stop)
        self._own[active], self._shared = found.own, found.shared
        self.allocation = classes.per_client(found.held)
        traffic = self._phases.priced_traffic(model, found.own, needs.in_uplink)
        self._proofs[-1].add_own(np.flatnonzero(active), found.own, traffic)
        self._proofs[-1].add_shared(found.shared, waits)
        self.work += STEP_WORK * found.steps * len(limits) / len(self._counts)

    def _centre(self, counts: IntArray, waits: FloatArray, roots: Sequence[int] = ANEW) -> CountModel:
        """A model with classes around these counts, a proof for it, and first prices of all its classes."""
        everything = self._problem.everything()
        classes = CountClasses.around(counts, everything.least[0], everything.most[0], N_CLASSES)
        self._model = model = CountModel(self._problem, classes, self._units)
        phases, needs = self._phases, self._phases.needs(waits)
        own = phases.own_prices(self._units, classes.client)
        self._own = sharpened(model, model.limits(needs.rate, needs.downlink), own, self._shared, roots)
        self.work += SHARPENING_WORK * N_CLASSES * len(roots) / len(AGAIN)
        self._proofs.append(proof := CountProof(model, phases.head_start_s))
        for own in (np.zeros_like(self._own), self._own):
            proof.add_own(np.arange(len(own)), own.copy(), phases.priced_traffic(model, own, needs.in_uplink))
        proof.add_shared(self._shared, self._phases.waits_s)
        return model
