"""Better schedules while bounds are proved: local searches one after the other, from the best allocation known.

Whose turn it is follows from counted work, so that one seed gives one result unless the time limit interferes. Proofs
that are done soon never wait: the searches get their share of what goes beyond `HEAD_START`.
"""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.exact.work import step_work
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.search import Search
from epsl_opt.solvers.local_search.starts import starts
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.primal.allocation import filled
from epsl_opt.solvers.primal.offering import offer_allocation

HEAD_START = 1e6
"""Work of the proof, about microseconds, before the searches get any."""

FIRST_SHARE, FULL_SHARE, LEAST_SHARE = 0.25, 1.0, 0.125
"""Work of the searches relative to that of the proof. A better schedule makes it full, a search without halves it."""

N_CHAINS = 4
STARTING_STEPS = 20
"""What the relaxations of a search's own starts take, in such steps, about."""


class Incumbents:
    """Local searches that share the time of a proof."""

    def __init__(self, instance: Instance, monitor: SolveMonitor) -> None:
        self._instance, self._monitor = instance, monitor
        self._step_work = step_work(instance.n_clients, instance.n_subchannels)
        self._problem: SearchProblem | None = None
        self._search: Search | None = None
        self._n_searches, self._found = 0, False
        self._share, self._spent, self._counted = FIRST_SHARE, 0.0, -HEAD_START

    def count(self, steps: float) -> None:
        """Count steps of the interior-point method that the proof has made, for one region each."""
        self._counted += steps * self._step_work

    def catch_up(self) -> None:
        """Search until the searches have had their share."""
        monitor = self._monitor
        while self._spent < self._share * self._counted and not (monitor.out_of_time or monitor.gap_reached):
            if (self._search is None or self._search.over) and not self._begin():
                self._counted = -math.inf
            elif self._search is not None:
                before = self._search.work
                if self._search.step():
                    self._offer(self._search)
                self._spent += self._search.work - before

    def _begin(self) -> bool:
        """Begin a search: in turn from the best allocation known, and from where `local-search` begins."""
        if self._instance.n_clients == 1:
            return False
        self._problem = problem = self._problem or SearchProblem.of(self._instance)
        if self._search is not None and not self._found:
            self._share = max(0.5 * self._share, LEAST_SHARE)
        begin = self._best_known(problem) if self._n_searches % 2 == 0 else None
        if begin is None:
            begin = starts(self._instance, problem, self._monitor)
            self._spent += STARTING_STEPS * self._step_work
        seed = self._monitor.limits.seed + self._n_searches // 2
        self._n_searches, self._found = self._n_searches + 1, False
        self._search = Search(problem, begin, N_CHAINS, seed) if len(begin) else None
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
