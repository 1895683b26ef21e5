"""The paper's non-optimised baselines; which of them pairs what is a reconstruction."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from epsl_opt.core.arrays import IntArray
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.plugins.solver import Solver, SolverKind
from epsl_opt.solvers.paper.bcd import best_cut
from epsl_opt.solvers.primal.allocation import (
    equal_density_power_w,
    equal_power_w,
    greedy_allocation,
    strongest_signal_allocation,
)
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.power_control import best_schedule


class _Baseline(Solver[Options]):
    """A baseline makes one schedule, without search."""

    kind = SolverKind.BASELINE

    def solve(self, instance: Instance, options: Options, monitor: SolveMonitor) -> StopReason:
        """Make the schedule; the random cut layer is drawn from the seed of the limits."""
        cuts = feasible_cuts(instance)
        cut = int(np.random.default_rng(monitor.limits.seed).choice(list(cuts)))
        schedule = self._schedule(instance, cuts, cut)
        if schedule is not None and math.isfinite(instance_round(instance, schedule).round_latency_s):
            monitor.offer(schedule)
        return StopReason.COMPLETED

    @abstractmethod
    def _schedule(self, instance: Instance, cuts: dict[int, CutCosts], random_cut: int) -> Schedule | None: ...


class BaselineA(_Baseline):
    """Subchannels by strongest received signal, random cut layer, equal power."""

    name = "baseline-a"
    summary = "subchannels by strongest received signal, random cut layer, equal power"

    def _schedule(self, instance: Instance, cuts: dict[int, CutCosts], random_cut: int) -> Schedule:
        owner = strongest_signal_allocation(instance, cuts[random_cut])
        return Schedule(random_cut, owner, equal_power_w(instance, owner))


class BaselineB(_Baseline):
    """Greedy subchannels, random cut layer, equal power."""

    name = "baseline-b"
    summary = "greedy subchannels, random cut layer, equal power"

    def _schedule(self, instance: Instance, cuts: dict[int, CutCosts], random_cut: int) -> Schedule:
        owner = _greedy(instance, cuts[random_cut])
        return Schedule(random_cut, owner, equal_power_w(instance, owner))


class BaselineC(_Baseline):
    """Greedy subchannels, optimised cut layer, equal power."""

    name = "baseline-c"
    summary = "greedy subchannels, optimised cut layer, equal power"

    def _schedule(self, instance: Instance, cuts: dict[int, CutCosts], random_cut: int) -> Schedule:
        owner = _greedy(instance, cuts[random_cut])
        power = equal_power_w(instance, owner)
        return Schedule(best_cut(instance, cuts, owner, power), owner, power)


class BaselineD(_Baseline):
    """Greedy subchannels, random cut layer, exact power control."""

    name = "baseline-d"
    summary = "greedy subchannels, random cut layer, exact power control"

    def _schedule(self, instance: Instance, cuts: dict[int, CutCosts], random_cut: int) -> Schedule | None:
        return best_schedule(instance, cuts[random_cut], random_cut, _greedy(instance, cuts[random_cut]))


def _greedy(instance: Instance, costs: CutCosts) -> IntArray:
    return greedy_allocation(instance, costs, equal_density_power_w(instance))
