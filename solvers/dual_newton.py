"""Maximise the Lagrangian dual of one cut layer: Newton's method on a smoothed dual with a barrier.

The maximum over clients is smoothed by entropy at a temperature tau (seconds), prices are kept positive by a barrier of
the same order, and tau is lowered in steps. The smoothed dual is concave; its Hessian is block-diagonal minus a product
of (3 clients x subchannels) matrices, so that a step costs one matrix product and one solve. The softmax weights are a
near-optimal fractional allocation, from which schedules are rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from epsl_opt.arrays import FloatArray, IntArray
from epsl_opt.solvers.lagrangian import CutProblem, PhaseEnd, Prices, certified_bound_s, phase_end

FIRST_TEMPERATURE = 0.3
LAST_TEMPERATURE = 4e-6
COOLING = 0.2
STEPS_PER_TEMPERATURE = 12
KEPT_ALLOCATIONS = 5


@dataclass(frozen=True, eq=False)
class DualSolution:
    """A certified bound in seconds, the prices behind it, and fractional allocations to round.

    `allocations` holds r, shape (clients, subchannels), at each temperature, coarse to fine: the finer ones are nearer
    to the relaxation's optimum, but the finest may not be centred.
    """

    bound_s: float
    prices: Prices
    allocations: tuple[FloatArray, ...]


def maximise_dual(
    problem: CutProblem,
    start: Prices,
    *,
    cutoff_s: float = math.inf,
    first_temperature: float = FIRST_TEMPERATURE,
    last_temperature: float = LAST_TEMPERATURE,
    stop: Callable[[], bool] = lambda: False,
) -> DualSolution:
    """Raise the certified bound of a cut layer from starting prices.

    Parameters
    ----------
    problem, start
        The cut layer, and prices to start from.
    cutoff_s
        Stop as soon as the bound exceeds this latency: the cut layer cannot beat it.
    first_temperature, last_temperature
        Smoothing to begin and end with, in units of the average value of a subchannel.
    stop
        Asked between temperatures whether time is up.
    """
    newton = _Newton(problem, start)
    unit = newton.unit_s
    best, prices, tau = certified_bound_s(problem, newton.prices), newton.prices, first_temperature * unit
    allocations: list[FloatArray] = []
    while True:
        newton.centre(tau)
        allocations.append(newton.weights(tau))
        bound = certified_bound_s(problem, newton.prices)
        if bound > best:
            best, prices = bound, newton.prices
        if best > cutoff_s or tau <= last_temperature * unit or newton.stuck or stop():
            return DualSolution(best, prices, tuple(allocations[-KEPT_ALLOCATIONS:]))
        tau *= COOLING


@dataclass(frozen=True, eq=False)
class _Point:
    """The smoothed dual at some prices: value, primal responses and softmax weights (clients, subchannels)."""

    value: float
    uplink: FloatArray
    power: FloatArray
    weights: FloatArray
    uplink_end: PhaseEnd
    downlink_end: PhaseEnd


class _Newton:
    """Prices as one vector z = (uplink, downlink, power, total power), of which the priced entries move."""

    def __init__(self, problem: CutProblem, start: Prices) -> None:
        self._problem = problem
        self._C = C = len(problem.max_power_w)
        z = np.concatenate([start.uplink, start.downlink, start.power, [start.total_power]])
        moves = np.ones(3 * C + 1, dtype=bool)
        moves[:C] = moves[2 * C :] = problem.uplink_nats > 0
        moves[C : 2 * C] = problem.costs.downlink_bits > 0
        self._index: IntArray = np.flatnonzero(moves)
        self._z = np.where(moves, z, 0.0)
        self._raise_from_zero()
        self.stuck = self._index.size == 0

    def _raise_from_zero(self) -> None:
        """The barrier needs positive prices; a price of zero starts far below its peers instead."""
        C = self._C
        for group in (slice(0, C), slice(C, 2 * C), slice(2 * C, 3 * C + 1)):
            floor = 1e-6 * self._z[group].max()
            self._z[group] = np.maximum(self._z[group], floor)

    @property
    def prices(self) -> Prices:
        """The current prices."""
        C = self._C
        return Prices(self._z[:C], self._z[C : 2 * C], self._z[2 * C : 3 * C], float(self._z[-1]))

    @property
    def unit_s(self) -> float:
        """The average value of a subchannel, by which temperatures are measured."""
        point = self._evaluate(self._z, 1.0)
        return (point.uplink_end.end_s + point.downlink_end.end_s) / len(self._problem.bandwidth_hz)

    def weights(self, tau: float) -> FloatArray:
        """The fractional allocation at the current prices and temperature `tau`."""
        return self._evaluate(self._z, tau).weights

    def centre(self, tau: float) -> None:
        """Maximise at temperature `tau`, in seconds, by damped Newton steps relative to the prices."""
        barrier = 0.1 * tau * len(self._problem.bandwidth_hz) / (3 * self._C + 1)
        for _ in range(STEPS_PER_TEMPERATURE):
            if self.stuck:
                return
            point = self._evaluate(self._z, tau)
            step, decrement = self._direction(point, tau, barrier)
            self._advance(self._barriered(point, self._z, barrier), step, decrement, tau, barrier)
            if decrement < 0.3 * tau * len(self._problem.bandwidth_hz):
                return

    def _advance(self, value: float, step: FloatArray, decrement: float, tau: float, barrier: float) -> None:
        """Backtrack along z (1 + length * step) until the smoothed dual rises enough."""
        length = min(1.0, 0.95 / max(float(-step.min()), 1e-9))
        while length > 1e-6:
            z = self._z.copy()
            z[self._index] *= 1 + length * step
            if self._barriered(self._evaluate(z, tau), z, barrier) >= value + 0.1 * length * decrement:
                self._z = z
                return
            length *= 0.5
        self.stuck = True

    def _barriered(self, point: _Point, z: FloatArray, barrier: float) -> float:
        return point.value + barrier * float(np.log(z[self._index]).sum())

    def _evaluate(self, z: FloatArray, tau: float) -> _Point:
        problem, C = self._problem, self._C
        uplink_price, downlink_price, budget = z[:C], z[C : 2 * C], z[2 * C : 3 * C] + z[-1]
        level = np.divide(uplink_price, budget, out=np.zeros(C), where=budget > 0)[:, None]
        uplink = problem.bandwidth_hz * np.log(np.maximum(level / problem.noise, 1.0))
        power = problem.bandwidth_hz * np.maximum(level - problem.noise, 0.0)
        value = uplink_price[:, None] * uplink - budget[:, None] * power
        value += downlink_price[:, None] * problem.downlink_bps
        peak = value.max(axis=0)
        weights = np.exp((value - peak) / tau)
        total = weights.sum(axis=0)
        uplink_end = phase_end(problem.costs.client_forward_s, problem.uplink_nats * uplink_price)
        downlink_end = phase_end(problem.costs.client_backward_s, problem.costs.downlink_bits * downlink_price)
        spent = float(z[2 * C : 3 * C] @ problem.max_power_w) + z[-1] * problem.total_power_w
        smoothed = float((peak + tau * np.log(total)).sum())
        dual = uplink_end.bound_s + downlink_end.bound_s - spent - smoothed
        return _Point(float(dual), uplink, power, weights / total, uplink_end, downlink_end)

    def _direction(self, point: _Point, tau: float, barrier: float) -> tuple[FloatArray, float]:
        """Return the Newton step relative to the prices, and the Newton decrement in seconds."""
        z, index = self._z[self._index], self._index
        gradient = (self._gradient(point)[index] + barrier / z) * z
        hessian = self._negative_hessian(point, tau)[np.ix_(index, index)] * z * z[:, None]
        diagonal = np.arange(len(index))
        hessian[diagonal, diagonal] += barrier
        ridge = 1e-13 * float(np.trace(hessian)) / len(index)
        for _ in range(8):
            hessian[diagonal, diagonal] += ridge
            try:
                step = cho_solve(cho_factor(hessian, check_finite=False), gradient, check_finite=False)
            except LinAlgError:
                ridge *= 100
                continue
            return step, float(gradient @ step)
        self.stuck = True
        return np.zeros(len(index)), 0.0

    def _gradient(self, point: _Point) -> FloatArray:
        """Constraint slacks of the primal response: rate needed minus rate given, power used minus limit."""
        problem, weights = self._problem, point.weights
        used = (weights * point.power).sum(axis=1)
        return np.concatenate(
            [
                _needed(problem.uplink_nats, point.uplink_end, problem.costs.client_forward_s)
                - (weights * point.uplink).sum(axis=1),
                _needed(problem.costs.downlink_bits, point.downlink_end, problem.costs.client_backward_s)
                - (weights * problem.downlink_bps).sum(axis=1),
                used - problem.max_power_w,
                [used.sum() - problem.total_power_w],
            ]
        )

    def _negative_hessian(self, point: _Point, tau: float) -> FloatArray:
        """Second derivatives, negated: of the softmax, of each client's own response, and of the phase ends."""
        problem, C, weights = self._problem, self._C, point.weights
        response = (point.uplink, problem.downlink_bps, -point.power)
        weighted = np.vstack([weights * part for part in response])
        core = -(weighted @ weighted.T) / tau
        blocks = [[(weights * a * b).sum(axis=1) / tau for b in response] for a in response]
        curvature = self._response_curvature(point)
        client = np.arange(C)
        for row in range(3):
            for column in range(3):
                diagonal = blocks[row][column] + curvature[row][column]
                core[row * C + client, column * C + client] += diagonal
        self._add_phase_curvature(core, point)
        full = np.empty((3 * C + 1, 3 * C + 1))
        full[:-1, :-1] = core
        full[:-1, -1] = full[-1, :-1] = core[:, 2 * C :].sum(axis=1)
        full[-1, -1] = core[2 * C :, 2 * C :].sum()
        return full

    def _response_curvature(self, point: _Point) -> list[list[FloatArray | float]]:
        """B (1/l, -1/b; -1/b, l/b^2) summed over used subchannels, for uplink price l and power budget b."""
        C = self._C
        price, budget = self._z[:C], self._z[2 * C : 3 * C] + self._z[-1]
        used = (point.weights * (point.power > 0)) @ self._problem.bandwidth_hz
        own = np.divide(used, price, out=np.zeros(C), where=price > 0)
        cross = -np.divide(used, budget, out=np.zeros(C), where=budget > 0)
        squeeze = np.divide(used * price, budget**2, out=np.zeros(C), where=budget > 0)
        return [[own, 0.0, cross], [0.0, 0.0, 0.0], [cross, 0.0, squeeze]]

    def _add_phase_curvature(self, core: FloatArray, point: _Point) -> None:
        problem, C, z = self._problem, self._C, self._z
        for first, traffic, end, ready in (
            (0, problem.uplink_nats, point.uplink_end.end_s, problem.costs.client_forward_s),
            (C, problem.costs.downlink_bits, point.downlink_end.end_s, problem.costs.client_backward_s),
        ):
            if traffic == 0:
                continue
            span = slice(first, first + C)
            slack = end - ready
            slope = traffic / slack**2
            core[span, span] += np.outer(slope, slope) / (2 * float((z[span] * traffic / slack**3).sum()))


def _needed(traffic: float, end: PhaseEnd, ready_s: FloatArray) -> FloatArray:
    """The rate every client needs to end its traffic with the phase."""
    return traffic / (end.end_s - ready_s) if traffic > 0 else np.zeros_like(ready_s)
