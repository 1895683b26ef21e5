"""The paper's block coordinate descent (Algorithm 3)."""

from __future__ import annotations

import math

from pydantic import Field

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.primal.allocation import equal_density_power_w, equal_power_w, greedy_allocation
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.offering import offer_start
from epsl_opt.solvers.primal.power_control import best_schedule


class BcdOptions(Options):
    """Options of `bcd`."""

    tolerance: float = Field(default=1e-6, ge=0, description="stop when a sweep improves the latency by less")
    max_sweeps: int = Field(default=50, ge=1, description="sweeps over the three blocks at the most")
    initial_cut: int | None = Field(
        default=None, ge=0, description="0-based cut layer to start from; default: the best at equal power"
    )


class BlockCoordinateDescent(Solver[BcdOptions]):
    """Greedy subchannels, power control and cut layer in turn, until a sweep no longer improves.

    The power block is solved exactly (the paper solves the same problem as a convex program), the cut block by
    enumeration at the powers in force. Re-running the greedy block may worsen the latency: the best sweep is kept, and
    a sweep that does not improve ends the descent. A schedule to start from is one more cut layer to descend from, no
    more: powers tuned to another channel lead it astray.
    """

    name = "bcd"
    summary = "the paper's block coordinate descent (Algorithm 3): subchannels, power, cut layer in turn"
    kind = SolverKind.HEURISTIC
    options_type = BcdOptions

    def unsupported(self, instance: Instance, options: BcdOptions) -> str | None:
        """Refuse an initial cut layer that the instance does not have."""
        if options.initial_cut is None or options.initial_cut in (cuts := list(feasible_cuts(instance))):
            return None
        return f"initial_cut {options.initial_cut} is not one of the feasible cut layers {cuts}"

    def solve(self, instance: Instance, options: BcdOptions, monitor: SolveMonitor) -> StopReason:
        """Sweep until the relative improvement falls below the tolerance."""
        cuts = feasible_cuts(instance)
        offer_start(monitor, cuts)
        given = monitor.incumbent
        firsts = [_first_cut(instance, cuts) if options.initial_cut is None else options.initial_cut]
        if given is not None and given.cut_layer not in firsts:
            firsts.append(given.cut_layer)
        for first in firsts:
            if not _descend(first, cuts, options, monitor):
                return StopReason.TIME_LIMIT
        for other in cuts:  # the first was one at which not every client could be served
            if monitor.incumbent is None and not _descend(other, cuts, options, monitor):
                return StopReason.TIME_LIMIT
        return StopReason.COMPLETED


def _descend(cut: int, cuts: dict[int, CutCosts], options: BcdOptions, monitor: SolveMonitor) -> bool:
    """Sweep from a cut layer until nothing improves; return False if time ran out before."""
    instance = monitor.instance
    power, last_s = equal_density_power_w(instance), math.inf
    for _ in range(options.max_sweeps):
        if monitor.out_of_time:
            return False
        owner = greedy_allocation(instance, cuts[cut], power)
        schedule = best_schedule(instance, cuts[cut], cut, owner)
        if schedule is None:
            break
        power = schedule.subchannel_power_w
        cut = best_cut(instance, cuts, owner, power)
        latency_s = monitor.offer(Schedule(cut, owner, power))
        if not latency_s < last_s * (1 - options.tolerance):
            break
        last_s = latency_s
    return True


def _first_cut(instance: Instance, cuts: dict[int, CutCosts]) -> int:
    """The best cut layer for a greedy allocation at equal power."""
    middle = list(cuts)[len(cuts) // 2]
    owner = greedy_allocation(instance, cuts[middle], equal_density_power_w(instance))
    return best_cut(instance, cuts, owner, equal_power_w(instance, owner))


def best_cut(instance: Instance, cuts: dict[int, CutCosts], owner: IntArray, power_w: FloatArray) -> int:
    """Return the cut layer of least latency for a fixed allocation and fixed powers."""
    return min(cuts, key=lambda cut: instance_round(instance, Schedule(cut, owner, power_w)).round_latency_s)
