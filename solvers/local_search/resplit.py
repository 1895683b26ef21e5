"""A search that splits pairs of clients anew, towards phases that end a little sooner than the best schedule's."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.goals import Goal, PhaseSlacks
from epsl_opt.solvers.local_search.pairs import drawn_pairs, pairing_work, split_anew
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import States, evaluate

PAIRINGS = 10
"""Times that all clients are paired and split anew before the allocation is evaluated."""

PATIENCE = 3
"""Goals on the way from which nothing better came, after which the search starts from the best again."""

SHARPNESS = (60.0, 100.0, 200.0, 400.0, 800.0)
GAIN = (3e-4, 1e-3, 2e-3, 4e-3)
"""By how much sooner all phases together are to end, relative to the latency."""

UPLINK_SHARE = (-0.5, 0.0, 0.0, 0.3, 0.5, 0.7, 1.0, 1.0, 1.5)
"""How much of that the uplink phase and the exchange of models gain; outside 0 to 1 a phase may end later."""


class Resplit:
    """One allocation on its way to goals drawn at random, deterministic by the generator.

    Attributes
    ----------
    step_work
        About the microseconds of a step on one core of 2020.
    """

    def __init__(self, problem: SearchProblem, rng: np.random.Generator) -> None:
        self._problem, self._rng = problem, rng
        self._best: States | None = None
        self._owner: IntArray = np.empty(0, dtype=np.intp)
        self._slacks = PhaseSlacks(0.0, 0.0, 0.0)
        self._fruitless = 0
        self._sharpness, self._gain, self._shares = 100.0, 3e-3, np.full(3, 1 / 3)
        self.step_work = PAIRINGS * pairing_work(problem)

    def step(self, best: States) -> States | None:
        """Go on towards a schedule that is better than `best`, one state; return it if found."""
        problem, rng = self._problem, self._rng
        if best is not self._best:
            self._start_from(best)
        elif self._fruitless > PATIENCE:
            self._start_from(best)
            self._draw()
        cut, latency_s = int(best.cut[0]), float(best.latency_s[0])
        slacks = self._slacks.shorter(self._gain * latency_s, self._shares)
        goal = Goal.of(problem, self._owner, cut, slacks, self._sharpness)
        for _ in range(PAIRINGS):
            terms = goal.terms_of(problem, self._owner)
            split_anew(problem, goal, self._owner, drawn_pairs(terms, rng), rng)
        found = evaluate(problem, self._owner[None, :].copy(), best.cut)
        if found.latency_s[0] < latency_s * (1 - 1e-12):
            return found
        self._fruitless += 1
        return None

    def _start_from(self, best: States) -> None:
        self._best, self._fruitless = best, 0
        self._owner = best.owner[0].copy()
        self._slacks = PhaseSlacks.of(self._problem, self._owner, int(best.cut[0]))

    def _draw(self) -> None:
        rng = self._rng
        self._sharpness, self._gain = float(rng.choice(SHARPNESS)), float(rng.choice(GAIN))
        self._shares = _shares(float(rng.choice(UPLINK_SHARE)), float(rng.random()))


def _shares(sending: float, uplink: float) -> FloatArray:
    """What uplink, exchange and downlink gain, where the first two gain `sending`, and the first `uplink` of that."""
    return np.array([sending * uplink, sending * (1 - uplink), 1 - sending])
