"""Bounds per client and count for the cut layers of a proof, where branching alone would take long."""

from __future__ import annotations

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Instance
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.certainty import exceeds
from epsl_opt.solvers.dual.count_bound import CountBound
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.dual.lagrangian import CutProblem
from epsl_opt.solvers.exact.polish import polish
from epsl_opt.solvers.exact.tree import CutTree
from epsl_opt.solvers.exact.work import STEPS_OF_A_NODE, step_work
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s
from epsl_opt.solvers.primal.offering import offer_allocation
from epsl_opt.solvers.primal.rounding import round_allocation

HEAD_START = 4e6
"""`SHARE` times the work of the trees, about microseconds, before the first round."""

SHARE = 20.0
"""Work of these rounds relative to that of the trees."""

WORTH_POLISHING = 3e-3
"""A rounded allocation is polished if it takes no more than this part longer than the best schedule."""

LARGEST = 1_000_000
"""More (client, subchannel) pairs take more memory than a proof should."""


class CountRounds:
    """Raises the bounds of cut layers round by round, sharing the time with the trees, and rounds what it finds."""

    def __init__(self, instance: Instance, bounds: CutBounds, monitor: SolveMonitor) -> None:
        self._instance, self._bounds, self._monitor = instance, bounds, monitor
        problem = bounds.problem[bounds.first]
        self._step_work = step_work(*problem.noise.shape)
        self._ahead = -HEAD_START
        self._of_cut: dict[int, CountBound | None] = {}

    def count_nodes(self, nodes: int) -> None:
        """Count nodes that the trees have bounded."""
        self._ahead += SHARE * nodes * STEPS_OF_A_NODE * self._step_work

    def catch_up(self, tree: CutTree, cutoff_s: float) -> float:
        """Raise the bound of a cut layer, if it is its turn, towards what proves the gap.

        Returns the work done, in steps of the interior-point method.
        """
        if self._ahead < 0 or not cutoff_s < float("inf"):
            return 0.0
        if tree.cut not in self._of_cut:
            self._of_cut[tree.cut] = self._begin(tree)
        bound = self._of_cut[tree.cut]
        if bound is None or bound.exhausted:
            return 0.0
        before = bound.work
        self._monitor.say(f"bounding cut layer {tree.cut} by counts")
        while self._ahead > 0 and not (
            bound.exhausted or exceeds(bound.bound_s, cutoff_s) or self._monitor.out_of_time
        ):
            allocation, work = bound.allocation, bound.work
            bound.raise_towards(cutoff_s, self._monitor.is_out_of_time)
            self._ahead -= (bound.work - work) * self._step_work
            tree.raise_bound(bound.bound_s)
            if bound.allocation is not None and bound.allocation is not allocation:
                self._offer(tree.cut, bound.allocation)
        return bound.work - before

    def _offer(self, cut: int, fraction: FloatArray) -> None:
        """Round what the clients hold in the relaxation, and descend from there."""
        costs = self._bounds.problem[cut].costs
        owner = round_allocation(self._instance, costs, fraction, stop=self._monitor.is_out_of_time)
        latency_s = float(allocation_latencies_s(self._instance, costs, owner[None, :])[0])
        if latency_s < (1 + WORTH_POLISHING) * self._monitor.latency_s:
            offer_allocation(self._monitor, costs, cut, owner)
            offer_allocation(self._monitor, costs, cut, polish(self._instance, cut, owner, self._monitor))

    def _begin(self, tree: CutTree) -> CountBound | None:
        problem = self._bounds.problem[tree.cut]
        return CountBound(problem, self._bounds.solution[tree.cut], tree.bound_s) if bounds_counts(problem) else None


def bounds_counts(problem: CutProblem) -> bool:
    """Whether prices per count can bound a cut layer: somebody sends or receives, and memory suffices."""
    carries = problem.sends or problem.downlink_bits > 0
    return carries and not problem.costs.idle and problem.noise.size <= LARGEST
