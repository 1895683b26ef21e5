"""Better schedules while bounds are proved: local searches one after the other, from the best allocation known.

Whose turn it is follows from counted work, so that one seed gives one result unless the time limit interferes. Proofs
that are done soon never wait: the searches get their share of what goes beyond `HEAD_START`.
"""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.exact.work import STEPS_OF_A_NODE, step_work
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.search import Search
from epsl_opt.solvers.local_search.starts import starts
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.local_search.work import work_limit
from epsl_opt.solvers.primal.allocation import filled
from epsl_opt.solvers.primal.offering import offer_allocation

HEAD_START = 1e6
"""Work of the proof, about microseconds, before the searches get any."""

FIRST_SHARE, FULL_SHARE, LEAST_SHARE = 0.5, 1.0, 0.125
"""Work of the searches relative to that of the proof. A better schedule makes it full, a search without halves it."""

AT_ROOTS, STALLED = 0.25, 3.0
"""How much all shares are larger while roots are bounded, which leads to better schedules, too, and while nodes are
bounded in vain."""

WINDOW, SLOW = 1e6, 0.1
"""Nodes are bounded in vain if in so much work they have closed less than so much of the gap that is left."""

LINGERING = 0.4
"""A search goes on after it has found something, even if it would end by itself: share of its work at the most."""

OWN_STARTS = 1
"""The search that begins where `local-search` does, with its seed, counted from 0."""

N_CHAINS = 4
HUGE = 1_000_000
"""With more (client, subchannel) pairs a step of a chain takes a second: there is one, from the best known."""

STARTING_STEPS = 20
"""Those that the relaxations of a search's own starts take, about."""


class Incumbents:
    """Local searches that share the time of a proof.

    Attributes
    ----------
    earned
        Work of the proof beyond its head start, more or less of it as it is in need of schedules.
    """

    def __init__(self, instance: Instance, monitor: SolveMonitor) -> None:
        self._instance, self._monitor = instance, monitor
        self._step_work = step_work(instance.n_clients, instance.n_subchannels)
        self._problem: SearchProblem | None = None
        self._search: Search | None = None
        self._n_searches, self._found = 0, False
        self._share, self._credit, self.earned = FIRST_SHARE, 0.0, 0.0
        self._counted, self._looked_at, self._bound_s, self._stalls = 0.0, 0.0, -math.inf, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        """There is nothing to end."""

    def count_root_step(self) -> None:
        """Count an interior-point step of a root."""
        self._count(self._step_work, AT_ROOTS)

    def count_nodes(self, nodes: int) -> None:
        """Count nodes that have been bounded."""
        self._count(STEPS_OF_A_NODE * self._step_work * nodes, STALLED if self._stalls else 1.0)
        if self._counted >= self._looked_at + WINDOW:
            self._look_at_bound()

    def count_rounds(self, steps: float) -> None:
        """Count work on bounds other than nodes, in interior-point steps."""
        self._count(steps * self._step_work, 1.0)

    def earn(self, work: float) -> None:
        """Give the searches their share of so much work."""
        self.earned += work
        self._credit += self._share * work

    def _count(self, work: float, weight: float) -> None:
        self._counted += work
        if self._counted > HEAD_START:
            self.earn(weight * work)

    def _look_at_bound(self) -> None:
        bound_s = -math.inf if self._monitor.bound_s is None else self._monitor.bound_s
        self._stalls = bound_s - self._bound_s < SLOW * (self._monitor.latency_s - bound_s)
        self._looked_at, self._bound_s = self._counted, bound_s

    def catch_up(self) -> None:
        """Search until the searches have had their share."""
        while not self._monitor.gap_reached and self.step():
            pass

    def step(self) -> bool:
        """Make one step of a search; False if there is no share left, no time, or nothing to search."""
        if self._credit <= 0 or self._monitor.out_of_time:
            return False
        if (self._search is None or self._is_over(self._search)) and not self._begin():
            return False
        assert self._search is not None
        before = self._search.work
        if self._search.step():
            self._offer(self._search)
        self._credit -= self._search.work - before
        return True

    def _is_over(self, search: Search) -> bool:
        assert self._problem is not None
        return search.over and search.work >= search.found_at + LINGERING * work_limit(self._problem)

    def _begin(self) -> bool:
        """Begin a search from the best allocation known; the second from where `local-search` begins."""
        if self._instance.n_clients == 1:
            return False
        self._problem = problem = self._problem or SearchProblem.of(self._instance)
        if self._search is not None and not self._found:
            self._share = max(0.5 * self._share, LEAST_SHARE)
        huge = problem.noise.size > HUGE
        begin = self._best_known(problem) if huge or self._n_searches != OWN_STARTS else None
        if begin is None:
            begin = starts(self._instance, problem, self._monitor)
            self._credit -= STARTING_STEPS * self._step_work
        seed = self._monitor.limits.seed + max(self._n_searches - 1, 0)
        self._n_searches, self._found = self._n_searches + 1, False
        self._search = Search(problem, begin, 1 if huge else N_CHAINS, seed) if len(begin) else None
        return self._search is not None

    def _best_known(self, problem: SearchProblem) -> States | None:
        incumbent = self._monitor.incumbent
        if incumbent is None:
            return None
        owner: IntArray = filled(self._instance, incumbent.subchannel_client)
        cut = np.flatnonzero(problem.cut_layer == incumbent.cut_layer)[:1]
        return evaluate(problem, owner[None, :], cut if cut.size else np.zeros(1, dtype=np.intp))

    def _offer(self, search: Search) -> None:
        assert self._problem is not None
        if search.best.latency_s[0] < self._monitor.latency_s:
            cut = int(self._problem.cut_layer[search.best.cut[0]])
            offer_allocation(self._monitor, cut_costs(self._instance, cut), cut, search.best.owner[0])
            self._found, self._share = True, FULL_SHARE
