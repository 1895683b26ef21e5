"""The solver: bound every cut layer, round and polish an incumbent, close what can still win by branch and bound."""

from __future__ import annotations

import math

from pydantic import Field

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.blas_threads import fitting_blas_threads
from epsl_opt.solvers.dual.certainty import cutoff_s, exceeds
from epsl_opt.solvers.dual.cut_bounds import ACCURACY, CutBounds
from epsl_opt.solvers.dual.marginal import marginal_values
from epsl_opt.solvers.enumeration import NO_ALLOCATION, enumerate_cut, n_allocations
from epsl_opt.solvers.exact.beside import Beside, n_threads
from epsl_opt.solvers.exact.count_rounds import CountRounds
from epsl_opt.solvers.exact.incumbents import Incumbents
from epsl_opt.solvers.exact.polish import polish
from epsl_opt.solvers.exact.tree import CutTree
from epsl_opt.solvers.exact.work import step_work
from epsl_opt.solvers.local_search.starts import LARGEST_RELAXATION
from epsl_opt.solvers.primal.allocation import filled
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.offering import offer_allocation, offer_start
from epsl_opt.solvers.primal.rounding import round_allocation

LARGE = 1_000_000
"""With more (client, subchannel) pairs a relaxation takes minutes: seek a first schedule without it."""

ROOT_STEPS = 60
"""Steps of the interior-point method that a relaxation and what follows it take, with room to spare."""

BATCH_WORK = 20_000
"""Growing a tree by a batch of nodes may take as long as evaluating about so many allocations."""

MOST_ALLOCATIONS = 1_000_000
"""No more allocations than this are enumerated."""


class ExactOptions(Options):
    """Options of `exact`."""

    max_nodes: int | None = Field(default=None, ge=1, description="stop after about so many branch-and-bound nodes")


class Exact(Solver[ExactOptions]):
    """Branch and bound on the Lagrangian dual, on the counts of subchannels first.

    Every node's bound comes from prices alone (`lagrangian.certified_bounds_s`), so it holds however accurately the
    prices were found. Cut layers whose bound exceeds the incumbent are never branched on.

    An object that is used again starts from the prices of its last instance, too, where it is given a schedule to start
    from; a new one never does.
    """

    name = "exact"
    summary = "certified optimum: Lagrangian branch and bound with exact power control"
    kind = SolverKind.EXACT
    options_type = ExactOptions

    def __init__(self) -> None:
        self._last: CutBounds | None = None

    def solve(self, instance: Instance, options: ExactOptions, monitor: SolveMonitor) -> StopReason:
        """Prove the gap asked for, or go on until a limit."""
        started = offer_start(monitor, feasible_cuts(instance)) is not None
        with fitting_blas_threads(instance.n_clients * instance.n_subchannels):
            search = _Search(instance, monitor, self._last if started else None)
            with search.incumbents:
                search.bound_roots()
                stop = search.close(options.max_nodes)
            search.value_resources()
        self._last = search.bounds if instance.n_clients * instance.n_subchannels <= LARGE else None
        return stop


class _Search:
    """The cut layers still open: first as bounds, then as trees."""

    def __init__(self, instance: Instance, monitor: SolveMonitor, near: CutBounds | None) -> None:
        self._instance, self._monitor = instance, monitor
        self.bounds = self._bounds = CutBounds(instance, near)
        kind = Beside if n_threads(monitor.limits) > 1 else Incumbents
        self.incumbents = kind(instance, monitor)
        self._count_rounds = CountRounds(instance, self._bounds, monitor)
        self._trees: dict[int, CutTree] = {}
        monitor.prove(self._bounds.least_s)
        monitor.built()

    @property
    def _cutoff_s(self) -> float:
        """What a bound must exceed for a region to be left out."""
        return cutoff_s(self._monitor.latency_s, self._monitor.limits.rel_gap)

    def bound_roots(self) -> None:
        """Refine the cut layers that can still win, least bound first, with an incumbent from each."""
        monitor, bounds = self._monitor, self._bounds
        if bounds.problem[bounds.first].noise.size > LARGE or self._hurried:
            self._descend_first()
        while not monitor.out_of_time and (cut := bounds.next_cut(self._cutoff_s)) is not None:
            monitor.say(f"bounding cut layer {cut}")
            accuracy = max(0.1 * monitor.limits.rel_gap, ACCURACY)
            root = bounds.refine(cut, cutoff_s=self._cutoff_s, rel_gap=accuracy, stop=self._counted_stop)
            if monitor.is_out_of_time() and monitor.incumbent is not None:
                monitor.prove(bounds.least_s)
                break
            self._seek_incumbent(cut, root.allocation[0])
            self._trees[cut] = CutTree(self._instance, cut, bounds.problem[cut], root)
            monitor.prove(bounds.least_s)
            self.incumbents.catch_up()

    @property
    def _hurried(self) -> bool:
        """Whether the time left may not suffice for a relaxation: then schedules come first."""
        return self._monitor.remaining_s < 1e-6 * ROOT_STEPS * step_work(
            *self._bounds.problem[self._bounds.first].noise.shape
        )

    def _descend_first(self) -> None:
        """Descend from the schedule known, if there is one, and from the greedy allocation."""
        monitor, bounds = self._monitor, self._bounds
        monitor.say("local descent before any relaxation")
        starts = [(bounds.first, bounds.guess)]
        if (known := monitor.incumbent) is not None and known.cut_layer in bounds.problem:
            starts.insert(0, (known.cut_layer, filled(self._instance, known.subchannel_client)))
        for cut, owner in starts:
            self._offer(cut, owner)
            self._offer(cut, polish(self._instance, cut, owner, monitor))

    def _counted_stop(self) -> bool:
        """Count a step of a root's relaxation; where one takes long, schedules are sought meanwhile."""
        self.incumbents.count_root_step()
        if self._bounds.problem[self._bounds.first].noise.size > LARGEST_RELAXATION:
            self.incumbents.catch_up()
        return self._monitor.out_of_time

    def _seek_incumbent(self, cut: int, fraction: FloatArray) -> None:
        costs = self._bounds.problem[cut].costs
        owner = round_allocation(self._instance, costs, fraction, stop=self._monitor.is_out_of_time)
        self._offer(cut, owner)
        if not self._monitor.gap_reached and not exceeds(self._bounds.bound_s[cut], self._cutoff_s):
            self._offer(cut, polish(self._instance, cut, owner, self._monitor))

    def _offer(self, cut: int, owner: IntArray) -> None:
        offer_allocation(self._monitor, self._bounds.problem[cut].costs, cut, owner)

    def close(self, max_nodes: int | None) -> StopReason:
        """Grow the tree with the least bound until the gap is proved, or about `max_nodes` nodes are bounded."""
        monitor, nodes, batches = self._monitor, 0, 0
        while not monitor.gap_reached:
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            if max_nodes is not None and nodes >= max_nodes:
                monitor.message = f"stopped after {nodes} nodes (max_nodes={max_nodes})"
                return StopReason.COMPLETED
            open_ = [tree for tree in self._trees.values() if not tree.exhausted]
            if not open_:
                break
            tree = min(open_, key=lambda tree: tree.bound_s)
            batches += 1
            if min(batches * BATCH_WORK, MOST_ALLOCATIONS) >= n_allocations(self._instance):
                self._enumerate(tree)
            else:
                bounded = tree.grow(self._cutoff_s, monitor)
                nodes += bounded
                self.incumbents.count_nodes(bounded)
                self._count_rounds.count_nodes(bounded)
                self.incumbents.count_rounds(self._count_rounds.catch_up(tree, self._cutoff_s))
                self.incumbents.catch_up()
            if math.isfinite(bound_s := self._bound_s()):
                monitor.prove(bound_s)
        return self._verdict()

    def _enumerate(self, tree: CutTree) -> None:
        """Finish a cut layer, where this takes no longer than the trees so far and one batch more."""
        bound_s = enumerate_cut(self._monitor, tree.cut, self._bounds.problem[tree.cut].costs)
        if bound_s is not None:
            tree.settle(bound_s)

    def value_resources(self) -> None:
        """Report the marginal values at the incumbent's cut layer, if its root was bounded."""
        incumbent = self._monitor.incumbent
        root = None if incumbent is None else self._bounds.solution.get(incumbent.cut_layer)
        if incumbent is not None and root is not None:
            problem = self._bounds.problem[incumbent.cut_layer]
            values = marginal_values(self._instance, problem, root.prices)
            if values is not None:
                self._monitor.value(values)

    def _bound_s(self) -> float:
        untouched = [bound for cut, bound in self._bounds.bound_s.items() if cut not in self._trees]
        return min([tree.bound_s for tree in self._trees.values()] + untouched)

    def _verdict(self) -> StopReason:
        monitor = self._monitor
        if monitor.gap_reached:
            return StopReason.GAP_REACHED
        if self._bound_s() == math.inf:
            monitor.message = NO_ALLOCATION
            return StopReason.INFEASIBLE_PROVED
        monitor.message = "every allocation has been looked at, but rounding leaves the gap unproved"
        return StopReason.COMPLETED
