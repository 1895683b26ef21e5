"""One cut layer: relaxations that get tighter, in whole numbers and in tangents, until its bound rules it out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.certainty import cutoff_s, exceeds
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.primal.offering import offer_allocation
from epsl_opt.solvers.primal.rounding import round_allocation
from epsl_opt.solvers.pyomo_model.bounds import safe_bound_s
from epsl_opt.solvers.pyomo_model.pyomo_types import Model
from epsl_opt.solvers.pyomo_model.running import Interrupted, Outcome, RunLimits, run
from epsl_opt.solvers.pyomo_model.scaled import FINEST, ScaledCut, scaled_cut
from epsl_opt.solvers.pyomo_model.subsolvers import MILP, MINLP, Subsolver

if TYPE_CHECKING:
    from epsl_opt.solvers.pyomo_model.tangents import OuterApproximation

STALLED = 0.02
"""A round of tangents that closes less than this share of the gap is idle."""

CONTINUOUS, WHOLE_COUNTS, WHOLE_SUBCHANNELS = "continuous", "whole counts", "whole subchannels"
MOST_IDLE = {CONTINUOUS: 1, WHOLE_COUNTS: 1, WHOLE_SUBCHANNELS: 10}
"""Idle rounds in a row before the next level, or the end."""


@dataclass(frozen=True)
class CutSearch:
    """What the search of a cut layer needs; `n_tangents` are given to every curve to begin with."""

    monitor: SolveMonitor
    bounds: CutBounds
    subsolver: Subsolver
    n_tangents: int

    def close_milp(self, cut: int) -> None:
        """Raise the bound of a cut layer by outer approximation until it is pruned, or a limit is reached."""
        from epsl_opt.solvers.pyomo_model.tangents import OuterApproximation

        data = self._data(cut)
        outer = OuterApproximation(data, self.n_tangents)
        self.monitor.built()
        for level in _levels(outer.model):
            last, idle = math.inf, 0
            while idle < MOST_IDLE[level]:
                self.monitor.say(f"cut layer {cut}: {level}, {len(outer.model.tangents)} tangents")
                outcome = self._run(cut, data, outer.model, MILP)
                if self._decided(cut, outcome):
                    return
                missing = self.monitor.latency_s - self.bounds.bound_s[cut]
                if not self._refined(outer, level):
                    break
                idle = idle + 1 if last - missing < STALLED * missing else 0
                last = missing

    def close_minlp(self, cut: int) -> None:
        """Give the convex MINLP of a cut layer to the subsolver."""
        from epsl_opt.solvers.pyomo_model.model import minlp

        data = self._data(cut)
        model = minlp(data)
        self.monitor.built()
        self.monitor.say(f"cut layer {cut}: convex MINLP")
        self._run(cut, data, model, MINLP)

    @property
    def cutoff_s(self) -> float:
        """What a bound must exceed for a cut layer to be left out."""
        return cutoff_s(self.monitor.latency_s, self.monitor.limits.rel_gap)

    def _refined(self, outer: OuterApproximation, level: str) -> bool:
        """Add tangents to a precision that fits the gap; at the last level to a finer one, if that adds none."""
        tolerance = 0.1 * self.monitor.limits.rel_gap
        while outer.refine(max(tolerance, FINEST)) == 0:
            if level != WHOLE_SUBCHANNELS or tolerance <= FINEST:
                return False
            tolerance /= 10
        return True

    def _data(self, cut: int) -> ScaledCut:
        return scaled_cut(self.monitor.instance, cut, self.monitor.latency_s)

    def _run(self, cut: int, data: ScaledCut, model: Model, form: str) -> Outcome:
        limits = self.monitor.limits
        own = RunLimits(
            max(self.monitor.remaining_s, 1e-3), max(0.2 * limits.rel_gap, 0.0), limits.threads, limits.seed
        )
        try:
            outcome = run(self.subsolver, form, model, own)
        except Interrupted as interrupt:
            self._digest(cut, data, model, interrupt.outcome)
            raise
        self._digest(cut, data, model, outcome)
        return outcome

    def _digest(self, cut: int, data: ScaledCut, model: Model, outcome: Outcome) -> None:
        """Keep the bound, and the schedule behind the solution: its allocation rounded, its powers exact."""
        if outcome.infeasible:
            proved_s = self.monitor.latency_s
        else:
            proved_s = min(safe_bound_s(data, outcome.bound, self.subsolver.tolerance), self.monitor.latency_s)
        if outcome.has_values:
            self._offer(cut, _fractions(model, data))
        self.bounds.bound_s[cut] = max(self.bounds.bound_s[cut], proved_s)
        proved_s = min(self.bounds.least_s, self.monitor.latency_s)
        if math.isfinite(proved_s):
            self.monitor.prove(proved_s)

    def _offer(self, cut: int, fraction: FloatArray) -> None:
        costs = self.bounds.problem[cut].costs
        monitor = self.monitor
        owner = round_allocation(monitor.instance, costs, fraction, stop=monitor.is_out_of_time)
        offer_allocation(monitor, costs, cut, owner)

    def _decided(self, cut: int, outcome: Outcome) -> bool:
        """Whether the cut layer is closed, or there is no solution to go on from."""
        pruned = exceeds(self.bounds.bound_s[cut], self.cutoff_s)
        return bool(pruned) or not outcome.has_values or not outcome.finished or self.monitor.out_of_time


def _levels(model: Model) -> Iterator[str]:
    """Make the model's allocation whole step by step: nothing, the counts, every subchannel."""
    from pyomo.environ import Binary, NonNegativeIntegers, NonNegativeReals, UnitInterval

    for level, r_domain, n_domain in (
        (CONTINUOUS, UnitInterval, NonNegativeReals),
        (WHOLE_COUNTS, UnitInterval, NonNegativeIntegers),
        (WHOLE_SUBCHANNELS, Binary, NonNegativeIntegers),
    ):
        model.r.domain = r_domain
        model.n.domain = n_domain
        yield level


def _fractions(model: Model, data: ScaledCut) -> FloatArray:
    """r with the subsolver's rounding taken off: columns sum to one, shape (clients, subchannels)."""
    from epsl_opt.solvers.pyomo_model.tangents import values

    r = np.clip(values(model.r, data.shape), 0.0, 1.0)
    total: FloatArray = r.sum(axis=0)
    return r / np.maximum(total, 1e-12)
