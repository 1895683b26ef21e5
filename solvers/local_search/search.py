"""The whole search: chains that descend and are perturbed, and pairs split anew, each with a share of the work."""

from __future__ import annotations

import numpy as np

from epsl_opt.solvers.local_search.chains import Chains
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.resplit import Resplit
from epsl_opt.solvers.local_search.states import States
from epsl_opt.solvers.local_search.work import patience_rounds, step_work, work_limit

FIRST_SHARE = 0.5
"""Work of splitting pairs anew, relative to that of the chains, to begin with."""

LEAST_SHARE, MOST_SHARE = 0.05, 16.0

FADING = 0.95
"""What is left of the share after a step that found nothing; one that found something doubles it."""


class Search:
    """Deterministic by its seed: whose turn it is follows from counted work.

    Attributes
    ----------
    found_at
        The work after which the best state was found.
    """

    def __init__(self, problem: SearchProblem, starts: States, n_chains: int, seed: int, effort: float = 1.0) -> None:
        self._problem, self._effort = problem, effort
        self._chains = Chains(problem, starts, n_chains, np.random.default_rng(seed))
        self._resplit = Resplit(problem, np.random.default_rng([seed, 1]))
        self._share, self._chain_work, self._resplit_work = FIRST_SHARE, 0.0, 0.0
        self.found_at = 0.0

    @property
    def best(self) -> States:
        """The best state seen, alone."""
        return self._chains.best

    @property
    def work(self) -> float:
        """Work so far, about microseconds on one core of 2020."""
        return self._chain_work + self._resplit_work

    @property
    def over(self) -> bool:
        """Whether the work is done, or nothing better has turned up for long."""
        patience = self._effort * patience_rounds(self._problem)
        return self.work >= self._effort * work_limit(self._problem) or self._chains.stale_rounds >= patience

    def step(self) -> bool:
        """Make one step; return whether a better state was found."""
        if self._chains.at_home and self._resplit_work < self._share * self._chain_work:
            found = self._split_anew()
        else:
            self._chain_work += step_work(self._problem, len(self._chains))
            found = self._chains.step()
        if found:
            self.found_at = self.work
        return found

    def _split_anew(self) -> bool:
        self._resplit_work += self._resplit.step_work
        found = self._resplit.step(self._chains.best)
        if found is None:
            self._share = max(FADING * self._share, LEAST_SHARE)
            return False
        self._share = min(2 * self._share, MOST_SHARE)
        self._chains.adopt(found)
        return True
