"""The convex relaxation of one cut layer as a CVXPY program: fractional allocation, perspective rates.

Letting r_ik be fractional, the rate r B log2(1 + g p / r) is jointly concave in (r, p), so that the relaxation is
convex and its conic dual gives prices. Time counts from when the last client is ready, in units of a typical radio
phase, and power in units of P_th, which keeps the cone program well scaled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.convex.conic import solve_conic
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Fractional allocation r, shape (clients, subchannels), and the prices of a solved relaxation, one region."""

    allocation: FloatArray
    prices: Prices


def solve_relaxation(problem: CutProblem, radio_s: float, time_left_s: Callable[[], float]) -> Relaxation | None:
    """Solve the relaxation with Clarabel; None if it does not end with a solution.

    Parameters
    ----------
    problem
        One cut layer.
    radio_s
        Seconds of the right order for the radio phases, to scale by.
    time_left_s
        Tells the seconds left; asked when the program has been built, which takes its share.
    """
    model = _Model(problem, radio_s)
    if not solve_conic(model.program, time_left_s=time_left_s):
        return None
    return Relaxation(np.clip(model.allocation.value, 0.0, 1.0), model.prices())


class _Model:
    """The program and the units to read its duals in."""

    def __init__(self, problem: CutProblem, radio_s: float) -> None:
        self._problem, self._radio_s = problem, radio_s
        shape = problem.noise.shape
        self.allocation = cp.Variable(shape, nonneg=True)
        self._power = cp.Variable(shape, nonneg=True)
        uplink_rate = self._uplink_rate()
        self._uplink = self._phase(problem.costs.client_forward_s, problem.uplink_nats, uplink_rate)
        self._exchange = self._phase(np.zeros(len(problem.noise)), problem.exchange_nats, uplink_rate)
        downlink_rate = cp.sum(cp.multiply(problem.downlink_bps, self.allocation), axis=1)
        self._downlink = self._phase(problem.costs.client_backward_s, problem.downlink_bits, downlink_rate)
        self._held = cp.sum(self.allocation, axis=1) >= problem.everything().least[0]
        self._own_power = cp.sum(self._power, axis=1) <= problem.max_power_w / problem.total_power_w
        self._total_power = cp.sum(self._power) <= 1
        rows = [self._own_power, self._total_power, self._held, cp.sum(self.allocation, axis=0) <= 1]
        phases = (self._uplink, self._downlink, self._exchange)
        rows += [phase.constraint for phase in phases if phase.constraint is not None]
        end = self._uplink.end + self._downlink.end
        if self._exchange.constraint is not None:
            end += self._exchange.end
        self.program = cp.Problem(cp.Minimize(end), rows)

    def _uplink_rate(self) -> cp.Expression:
        """R_i in nat/s: the perspective r B ln(1 + g p / r) is minus B times a relative entropy."""
        problem = self._problem
        snr = problem.total_power_w / (problem.bandwidth_hz * problem.noise)
        entropy = cp.rel_entr(self.allocation, self.allocation + cp.multiply(snr, self._power))
        return -cp.sum(cp.multiply(np.broadcast_to(problem.bandwidth_hz, snr.shape), entropy), axis=1)

    def _phase(self, ready_s: FloatArray, traffic: float, rate: cp.Expression) -> _Phase:
        """R_i >= traffic / (T - ready_i) for all clients; `end` counts from when the last client is ready."""
        if traffic == 0:
            return _Phase(cp.Constant(0.0), None, 0.0)
        end = cp.Variable()
        head_start = (ready_s.max() - ready_s) / self._radio_s
        scale = self._radio_s / traffic
        return _Phase(end, scale * rate >= cp.inv_pos(end + head_start), scale)

    def prices(self) -> Prices:
        """Turn the duals into seconds per nat/s, bit/s and watt; rounding may leave them just below zero."""
        second, watt = self._radio_s, self._problem.total_power_w
        n_clients = len(self._problem.max_power_w)
        return Prices(
            uplink=self._uplink.price(n_clients)[None] * second,
            downlink=self._downlink.price(n_clients)[None] * second,
            power=np.maximum(self._own_power.dual_value, 0.0)[None] * second / watt,
            total_power=np.maximum(self._total_power.dual_value, 0.0).reshape(1) * second / watt,
            exchange=self._exchange.price(n_clients)[None] * second,
            count=-np.maximum(self._held.dual_value, 0.0)[None] * second,
        )


@dataclass(frozen=True)
class _Phase:
    """End of a phase and its rate constraint, None if nothing is sent."""

    end: cp.Expression
    constraint: cp.Constraint | None
    scale: float

    def price(self, n_clients: int) -> FloatArray:
        """Dual value per unit of rate, shape (clients,)."""
        if self.constraint is None:
            return np.zeros(n_clients)
        return np.maximum(np.asarray(self.constraint.dual_value, dtype=np.float64), 0.0) * self.scale
