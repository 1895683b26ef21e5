"""The outer approximation: tangents to begin with, and tangents where the solution is, step by step to the MINLP."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyomo.environ as pyo

from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.solvers.pyomo_model.model import blocks
from epsl_opt.solvers.pyomo_model.phases import deadline_tangent, first_ends, phases
from epsl_opt.solvers.pyomo_model.pyomo_types import Expression
from epsl_opt.solvers.pyomo_model.rates import capacity, capacity_tangent
from epsl_opt.solvers.pyomo_model.scaled import FINEST, ScaledCut, ScaledPhase


class OuterApproximation:
    """The MILP of a cut layer, a relaxation of its MINLP; `model.tangents` grows by `refine`."""

    def __init__(self, data: ScaledCut, n_tangents: int, unit_s: float | None = None) -> None:
        self.data = data
        self.model = blocks(data, unit_s)
        self.model.tangents = pyo.ConstraintList()
        self._logs: dict[tuple[int, int], list[float]] = defaultdict(list)
        if data.sending:
            self._first_capacity_tangents(data.sending[0], n_tangents)
        for _, phase, end, rate in phases(self.model, data):
            for at in first_ends(phase, 2 * n_tangents):
                for i in self.model.clients:
                    self.model.tangents.add(deadline_tangent(phase, end, rate, i, float(at)))

    def _first_capacity_tangents(self, phase: ScaledPhase, n_tangents: int) -> None:
        """Tangents at SNRs that divide the rate at full power evenly."""
        for i, k in np.argwhere(phase.heard):
            for log in np.log1p(self.data.snr[i, k]) * (np.arange(n_tangents) + 0.5) / n_tangents:
                self._touch(phase, int(i), int(k), float(log))

    def refine(self, tolerance: float) -> int:
        """Cut the solution off where it is above a curve by more than `tolerance`, relatively; return how often it was.

        What all of a client's subchannels may then be above their curves in sum is that share of the rate it needs.
        A tangent to the perspective cuts off (r, q, u) if it is taken at their own SNR g q / r.
        """
        found = self._refine_deadlines(tolerance)
        if self.data.sending:
            found += self._refine_capacity(self.data.sending[0], tolerance)
        return found

    def _refine_capacity(self, phase: ScaledPhase, tolerance: float) -> int:
        data, model = self.data, self.model
        share = np.clip(values(model.r, data.shape), 0.0, 1.0)
        power = np.clip(values(model.q, data.shape), 0.0, share)
        true, snr = capacity(data, phase, share, power)
        rate = values(model.u, data.shape)
        needed = np.array([[self._needed_rate(i)] for i in model.clients])
        matters = 0.5 * (np.minimum(rate, needed) + needed / data.shape[1])
        above = phase.heard & (share > FINEST) & (rate - true > tolerance * matters)
        for i, k in np.argwhere(above):
            self._touch(phase, int(i), int(k), float(np.log1p(snr[i, k])))
        self._spread(phase, above, snr, tolerance)
        return int(above.sum())

    def _needed_rate(self, i: int) -> float:
        """What client i must send at for both phases to end where the solution ends them."""
        ends = ((phase, end) for name, phase, end, _ in phases(self.model, self.data) if name != "downlink")
        return max(float(phase.needed_rate(i, max(pyo.value(end), 1.0))) for phase, end in ends)

    def _spread(self, phase: ScaledPhase, above: BoolArray, snr: FloatArray, tolerance: float) -> None:
        """Tangents at the client's water level everywhere: else the next solution would only swap near-copies."""
        for i in np.flatnonzero(above.any(axis=1)):
            level = float(np.median(((1 + snr[i]) * self.data.noise[i])[above[i]]))
            for k in np.flatnonzero(phase.heard[i] & (self.data.noise[i] < level)):
                log = float(np.log(level / self.data.noise[i, k]))
                near = np.sqrt(2 * tolerance / phase.rate[i, k])
                if min((abs(log - known) for known in self._logs[int(i), int(k)]), default=np.inf) > near:
                    self._touch(phase, int(i), int(k), log)

    def _touch(self, phase: ScaledPhase, i: int, k: int, log: float) -> None:
        """Add a tangent at ln(1 + SNR) = `log`."""
        self._logs[i, k].append(log)
        self.model.tangents.add(capacity_tangent(self.model, self.data, phase, i, k, float(np.expm1(log))))

    def _refine_deadlines(self, tolerance: float) -> int:
        added = 0
        for _, phase, end, rate in phases(self.model, self.data):
            at = max(pyo.value(end), 1.0)
            for i in self.model.clients:
                if pyo.value(rate[i]) < phase.needed_rate(i, at) * (1 - tolerance):
                    self.model.tangents.add(deadline_tangent(phase, end, rate, i, at))
                    added += 1
        return added


def values(variable: Expression, shape: tuple[int, int]) -> FloatArray:
    """Return the values of a variable over clients and subchannels, shape (clients, subchannels)."""
    C, M = shape
    return np.array([[variable[i, k].value or 0.0 for k in range(M)] for i in range(C)])
