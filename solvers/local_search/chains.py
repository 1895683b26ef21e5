"""Several searches side by side: descend while cooling, settle in a local optimum, perturb, descend again."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.solvers.local_search.descent import descend
from epsl_opt.solvers.local_search.perturbation import perturbed
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import States, evaluate

TEMPERATURES = (1e-2, 3e-3, 1e-3, 1e-4)
"""Of the smoothed latency, relative to the latency, from the start to a local optimum."""

LEAST_GAIN = (1e-4, 3e-5, 1e-6, 1e-9)
"""A step that gains less, relative to the smoothed latency, is the last at its temperature."""

REHEATED = 2
"""Where a search resumes in `TEMPERATURES` after a perturbation."""

BEHIND = (1.05, 1.02, 1.01, 1.005)
"""A first descent ends without a local optimum when it is so much slower than the best, by stage."""


class Chains:
    """Searches in lockstep, each an iterated local search; every numpy operation serves all of them.

    Attributes
    ----------
    best
        The best state seen, alone.
    stale_rounds
        Local optima since the best was found, over all searches.
    """

    def __init__(self, problem: SearchProblem, starts: States, n_chains: int, rng: np.random.Generator) -> None:
        self._problem, self._rng, self._n_chains = problem, rng, n_chains
        self._current = starts
        self._home: States | None = None
        self._stage = np.zeros(len(starts), dtype=np.intp)
        self.best = starts.take(starts.latency_s.argsort(kind="stable")[:1])
        self.stale_rounds = 0

    def __len__(self) -> int:
        return len(self._current)

    def step(self) -> bool:
        """Make one step of every search; return whether a better state was found."""
        before = self.best
        self._descend()
        settled = self._settled
        if self._home is None:
            self._drop_behind()
            if (self._stage == len(TEMPERATURES)).all():
                self._spread()
        elif settled.size:
            self._perturb(settled)
        return self.best is not before

    @property
    def at_home(self) -> bool:
        """Whether the first descents are over."""
        return self._home is not None

    def adopt(self, state: States) -> None:
        """Keep a better state from elsewhere, one state; the worst search goes on from there."""
        self.best, self.stale_rounds = state, 0
        if self._home is not None:
            worst = int(self._home.latency_s.argmax())
            self._home = self._home.replaced(np.array([worst]), state)

    @property
    def _settled(self) -> IntArray:
        return np.flatnonzero(self._stage == len(TEMPERATURES))

    def _descend(self) -> None:
        """Make moves; a search that gains too little cools, and has settled when it is coldest."""
        active = np.flatnonzero(self._stage < len(TEMPERATURES))
        states = self._current.take(active)
        temperature = np.array(TEMPERATURES)[self._stage[active]] * states.latency_s
        states, gain = descend(self._problem, states, temperature)
        self._current = self._current.replaced(active, states)
        self._stage[active] += gain < np.array(LEAST_GAIN)[self._stage[active]]
        self._keep_best(states)

    def _keep_best(self, states: States) -> None:
        first = int(states.latency_s.argmin())
        if states.latency_s[first] < self.best.latency_s[0] * (1 - 1e-12):
            self.best = states.take(np.array([first]))
            self.stale_rounds = 0

    def _drop_behind(self) -> None:
        """In the first descents, one a cut layer, give up those that have fallen behind, but not the least slow one.

        All may be behind: a descent of the smoothed latency passes states that are better than where it ends.
        """
        tolerance = np.array((np.inf, *BEHIND))[self._stage]
        near = self._current.latency_s <= tolerance * self.best.latency_s[0]
        near[self._current.latency_s.argmin()] = True
        kept = np.flatnonzero(near)
        if len(kept) < len(self._current):
            self._current, self._stage = self._current.take(kept), self._stage[kept]

    def _spread(self) -> None:
        """All first descents have settled: the best become homes, one more than once if there are too few."""
        order = np.argsort(self._current.latency_s, kind="stable")
        chosen = np.resize(order, self._n_chains)
        self._home = self._current = self._current.take(chosen)
        self._stage = np.full(len(chosen), len(TEMPERATURES))
        self._perturb(np.arange(len(chosen)))

    def _perturb(self, settled: IntArray) -> None:
        """Move home where the local optimum is no worse, then start again from near home."""
        assert self._home is not None
        self.stale_rounds += len(settled)
        found = self._at_best_cuts(self._current.take(settled))
        self._keep_best(found)
        better = found.latency_s <= self._home.latency_s[settled]
        self._home = self._home.replaced(settled[better], found.take(np.flatnonzero(better)))
        owner = np.array([perturbed(self._home, int(n), self._rng) for n in settled])
        fresh = evaluate(self._problem, owner, self._home.cut[settled])
        self._current = self._current.replaced(settled, fresh)
        self._stage[settled] = REHEATED

    def _at_best_cuts(self, states: States) -> States:
        """Each allocation at the cut layer where it is best."""
        J = self._problem.n_cuts
        everywhere = evaluate(self._problem, np.repeat(states.owner, J, axis=0), np.tile(np.arange(J), len(states)))
        best = everywhere.latency_s.reshape(-1, J).argmin(axis=1)
        return everywhere.take(best + J * np.arange(len(states)))
