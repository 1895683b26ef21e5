"""Maximise the Lagrangian duals of many regions of a cut layer together, by a primal-dual interior-point method.

The dual is a smooth convex program in the prices (see `dual_model`). Each step eliminates the subchannels' values and
the slacks, so that it costs one product of (4 clients x subchannels) matrices and one solve per region. The multipliers
are a near-optimal fractional allocation, from which schedules are rounded and branches chosen. Bounds are certified
from the prices alone, so that a region on which the method fails loses tightness, never validity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from epsl_opt.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.dual_model import DualModel, DualPoint
from epsl_opt.solvers.lagrangian import CutProblem, Prices, Regions, certified_bounds_s

MOST_STEPS = 80
TO_BOUNDARY = 0.97
RIDGE = 1e-13
STALLED = 1e-8
COUNT_START = 0.05


@dataclass(frozen=True, eq=False)
class DualSolutions:
    """What is known of N regions.

    Parameters
    ----------
    bound_s
        Certified bounds, shape (regions,).
    prices
        The prices behind them.
    allocation
        Fractional allocations r of the relaxations, shape (regions, clients, subchannels).
    """

    bound_s: FloatArray
    prices: Prices
    allocation: FloatArray


def maximise_duals(
    problem: CutProblem,
    regions: Regions,
    start: Prices,
    *,
    cutoff_s: float = math.inf,
    rel_gap: float = 1e-6,
    undecided: float = 0.0,
    spread: float = 0.3,
    stop: Callable[[], bool] = lambda: False,
) -> DualSolutions:
    """Raise the certified bounds of N regions from starting prices.

    Parameters
    ----------
    problem, regions, start
        The cut layer, the regions, and prices to start from.
    cutoff_s
        A region is finished as soon as its bound exceeds this latency.
    rel_gap
        A region is finished once its relaxation is solved to this relative gap.
    undecided
        A region is also finished once what its bound may still rise is less than this part of what it lacks to the
        cutoff: it cannot be pruned, and must be branched on.
    spread
        How far from complementary to start, in units of the average value of a subchannel; small for good prices.
    stop
        Asked between steps whether time is up.
    """
    solver = _Solver(problem, regions, start, spread)
    for _ in range(MOST_STEPS):
        if solver.running.size == 0 or stop():
            break
        solver.step()
        solver.finish(cutoff_s, rel_gap, undecided)
    return solver.solutions()


@dataclass(frozen=True, eq=False)
class _Iterate:
    """Primal and dual iterates of the running regions.

    `z` and its multipliers `y` have shape (regions, 5 C + 1), `sigma` (regions, M), `slack` and its multipliers
    `weight` (regions, C, M), `length` (regions,) is the last step's.
    """

    z: FloatArray
    y: FloatArray
    sigma: FloatArray
    slack: FloatArray
    weight: FloatArray
    length: FloatArray

    def take(self, index: IntArray | BoolArray) -> _Iterate:
        return _Iterate(*(getattr(self, field.name)[index] for field in fields(self)))


class _Solver:
    """The running regions' iterates, and the best of every region."""

    def __init__(self, problem: CutProblem, regions: Regions, start: Prices, spread: float) -> None:
        self._problem, self._regions = problem, regions
        self._model = DualModel(problem, regions)
        self._unit_s = _subchannel_value_s(self._model, start)
        self._at = _starting_iterate(self._model, start, self._unit_s, spread)
        self._complementarity = np.full(len(self._unit_s), np.inf)
        self._best_s = certified_bounds_s(problem, regions, start)
        self._best_z = self._at.z.copy()
        self._best_start = start
        self._improved = np.zeros(len(self._best_s), dtype=bool)
        self._allocation = self._at.weight.copy()
        anything = problem.uplink_nats > 0 or problem.costs.downlink_bits > 0
        self.running: IntArray = np.arange(len(self._best_s)) if anything else np.arange(0)

    def solutions(self) -> DualSolutions:
        """The best bounds with their prices, and the last allocations."""
        found, start = DualModel(self._problem, self._regions).split(self._best_z), self._best_start
        keep = self._improved
        chosen = [
            np.where(keep if old.ndim == 1 else keep[:, None], new, old)
            for new, old in zip(_parts(found), _parts(start), strict=True)
        ]
        return DualSolutions(self._best_s, Prices(*chosen), self._allocation)

    def step(self) -> None:
        """One Newton step of every running region towards its less perturbed optimality conditions."""
        at, model = self._at, self._model
        point = model.evaluate(at.z)
        system = _System(model, point, at, self._unit_s)
        centring = np.where(at.length > 0.9, 0.05, np.where(at.length > 0.5, 0.15, 0.4))
        self._at = system.solve(centring)

    def finish(self, cutoff_s: float, rel_gap: float, undecided: float) -> None:
        """Certify the running regions and drop those that are done."""
        at, index = self._at, self.running
        bound = certified_bounds_s(self._problem, self._model.regions, self._model.split(at.z))
        better = bound > self._best_s[index]
        self._best_s[index[better]], self._best_z[index[better]] = bound[better], at.z[better]
        self._improved[index[better]] = True
        self._allocation[index] = at.weight
        best, left = self._best_s[index], _complementarity(self._model, at)
        lacking = np.maximum(cutoff_s - best, 0.0)
        hopeless = (left < undecided * lacking) if math.isfinite(cutoff_s) else np.zeros(len(best), dtype=bool)
        done = (best > cutoff_s) | (left < rel_gap * np.abs(best)) | hopeless
        done |= (at.length < STALLED) | ~np.isfinite(at.z).all(axis=1) | ~np.isfinite(left)
        if done.any():
            self._keep(~done)

    def _keep(self, kept: BoolArray) -> None:
        self.running = self.running[kept]
        self._at, self._unit_s = self._at.take(kept), self._unit_s[kept]
        self._model = DualModel(self._problem, self._model.regions.take(np.flatnonzero(kept)))


class _System:
    """The Newton system of the running regions at one point."""

    def __init__(self, model: DualModel, point: DualPoint, at: _Iterate, unit_s: FloatArray) -> None:
        self._model, self._point, self._at = model, point, at
        self._allowed = np.isfinite(point.value)
        self._stiffness = at.weight / at.slack
        value = np.where(self._allowed, point.value, 0.0)
        self._slack_error = np.where(self._allowed, at.sigma[:, None, :] - value - at.slack, 0.0)
        self._scale = np.where(model.positive, at.z, np.where(model.moving, unit_s[:, None], 1.0))

    def solve(self, centring: FloatArray) -> _Iterate:
        """Return the iterates after one damped step that aims at `centring` times the present complementarity."""
        model, at, allowed = self._model, self._at, self._allowed
        pairs = allowed.sum(axis=(1, 2)) + model.positive.sum(axis=1)
        target = centring * _complementarity(model, at) / pairs
        wanted = np.where(allowed, target[:, None, None] / at.slack - at.weight, 0.0)
        wanted -= self._stiffness * self._slack_error
        missing = 1.0 - at.weight.sum(axis=1)
        total = self._stiffness.sum(axis=1)
        shift = (wanted.sum(axis=1) - missing) / total
        z = self._prices_step(target, wanted - self._stiffness * shift[:, None, :])
        value = self._point.push_forward(z)
        sigma = shift + (self._stiffness * value).sum(axis=1) / total
        slack = np.where(allowed, sigma[:, None, :] - value + self._slack_error, 0.0)
        weight = np.where(allowed, wanted - self._stiffness * (sigma[:, None, :] - value), 0.0)
        y = np.where(model.positive, (target[:, None] - at.y * (at.z + z)) / self._scale, 0.0)
        primal = np.minimum(_boundary(at.slack, slack, allowed), _boundary(at.z, z, model.positive))
        dual = np.minimum(_boundary(at.weight, weight, allowed), _boundary(at.y, y, model.positive))
        return _Iterate(
            z=at.z + primal[:, None] * z,
            y=at.y + dual[:, None] * y,
            sigma=at.sigma + primal[:, None] * sigma,
            slack=at.slack + primal[:, None, None] * slack,
            weight=at.weight + dual[:, None, None] * weight,
            length=np.minimum(primal, dual),
        )

    def _prices_step(self, target: FloatArray, weight: FloatArray) -> FloatArray:
        """Solve for the step of the prices, relative to their scale; `weight` is what r changes by at fixed prices."""
        model, point, at = self._model, self._point, self._at
        residual = point.objective_gradient() + point.pull_back(at.weight + weight)
        residual -= np.where(model.positive, target[:, None] / self._scale, 0.0)
        matrix = point.curvature(at.weight, self._stiffness)
        matrix *= self._scale[:, :, None] * self._scale[:, None, :]
        both = model.moving[:, :, None] & model.moving[:, None, :]
        matrix = np.where(both, matrix, 0.0)
        diagonal = np.arange(matrix.shape[1])
        ridge = RIDGE * np.trace(matrix, axis1=1, axis2=2)[:, None] / len(diagonal)
        matrix[:, diagonal, diagonal] += np.where(model.positive, at.y * at.z, 0.0) + ridge
        matrix[:, diagonal, diagonal] += ~model.moving
        right = np.where(model.moving, -residual * self._scale, 0.0)
        return _solve(matrix, right) * self._scale


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve each system; a singular one in the least-squares sense."""
    try:
        solution: FloatArray = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
        return solution
    except np.linalg.LinAlgError:
        pairs = zip(matrix, right, strict=True)
        return np.array([np.linalg.lstsq(a, b, rcond=None)[0] for a, b in pairs], dtype=np.float64)


def _starting_iterate(model: DualModel, start: Prices, unit_s: FloatArray, spread: float) -> _Iterate:
    """Slacks of `spread` subchannel values beyond the best client, and multipliers that complement them evenly."""
    z = model.join(start, COUNT_START * spread * unit_s)
    value = model.evaluate(z).value
    margin = spread * unit_s
    sigma = value.max(axis=1) + margin[:, None]
    slack = np.where(np.isfinite(value), sigma[:, None, :] - value, np.inf)
    weight = margin[:, None, None] / slack
    weight /= weight.sum(axis=1, keepdims=True)
    slack = np.where(np.isfinite(slack), slack, 1.0)
    average = (weight * slack).sum(axis=(1, 2)) / np.isfinite(value).sum(axis=(1, 2))
    y = np.divide(average[:, None], z, out=np.zeros_like(z), where=model.positive)
    return _Iterate(z, y, sigma, slack, weight, np.ones(len(z)))


def _subchannel_value_s(model: DualModel, prices: Prices) -> FloatArray:
    """The average value of a subchannel, shape (regions,)."""
    point = model.evaluate(model.join(prices, np.zeros(len(prices.total_power))))
    phases: FloatArray = point.uplink_end.end_s + point.downlink_end.end_s
    return phases / point.value.shape[2]


def _complementarity(model: DualModel, at: _Iterate) -> FloatArray:
    """The gap between relaxation and dual of a feasible iterate, in seconds, shape (regions,)."""
    priced = np.where(model.positive, at.y * at.z, 0.0)
    gap: FloatArray = (at.weight * at.slack).sum(axis=(1, 2)) + priced.sum(axis=1)
    return gap


def _boundary(value: FloatArray, step: FloatArray, bounded: BoolArray) -> FloatArray:
    """The longest step that keeps positive values positive, at most 1, shape (regions,)."""
    falling = bounded & (step < 0)
    ratio = np.divide(-value, step, out=np.full_like(value, np.inf), where=falling)
    longest: FloatArray = TO_BOUNDARY * ratio.reshape(len(ratio), -1).min(axis=1)
    return np.minimum(1.0, longest)


def _parts(prices: Prices) -> list[FloatArray]:
    return [getattr(prices, field.name) for field in fields(prices)]
