"""Maximise the Lagrangian duals of many regions of a cut layer together, by a primal-dual interior-point method.

The dual is a smooth convex program in the prices (see `dual_model`). Each step eliminates the subchannels' values and
the slacks, so that it costs one product of (4 clients x subchannels) matrices and one solve per region. The multipliers
are a near-optimal fractional allocation, from which schedules are rounded and branches chosen. Bounds are certified
from the prices alone, so that a region on which the method fails loses tightness, never validity.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from scipy.linalg import LinAlgWarning, lu_factor, lu_solve

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.dual.dual_model import DualModel, DualPoint
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices, Regions, certified_bounds_s

MOST_STEPS = 150
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
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # `_sound` finds what overflows, and ends it
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

    `z` and its multipliers `y` have shape (regions, W), `sigma` (regions, M), `slack` and its multipliers
    `weight` (regions, C, M). `length` (regions,) is the last step's, `imbalance_s` (regions,) about what the optimality
    conditions still miss in seconds, were every price wrong by its own size.
    """

    z: FloatArray
    y: FloatArray
    sigma: FloatArray
    slack: FloatArray
    weight: FloatArray
    length: FloatArray
    imbalance_s: FloatArray

    def take(self, index: IntArray | BoolArray) -> _Iterate:
        return _Iterate(*(getattr(self, field.name)[index] for field in fields(self)))


class _Solver:
    """The running regions' iterates, and the best of every region."""

    def __init__(self, problem: CutProblem, regions: Regions, start: Prices, spread: float) -> None:
        self._problem, self._regions = problem, regions
        self._model = DualModel(problem, regions)
        self._unit_s = _subchannel_value_s(self._model, start)
        self._at = _starting_iterate(self._model, start, self._unit_s, spread)
        self._best_s = certified_bounds_s(problem, regions, start)
        self._best_z = self._at.z.copy()
        self._best_start = start
        self._improved = np.zeros(len(self._best_s), dtype=bool)
        self._allocation = self._at.weight.copy()
        self.running: IntArray = np.arange(len(self._best_s))
        anything = problem.sends or problem.downlink_bits > 0
        self._keep(_sound(self._at) & anything)

    def solutions(self) -> DualSolutions:
        """The best bounds with their prices, and the last allocations."""
        found, start = DualModel(self._problem, self._regions).split(self._best_z), self._best_start
        keep = self._improved
        chosen = [
            np.where(keep if old.ndim == 1 else keep[:, None], new, old)
            for new, old in zip(found.parts, start.parts, strict=True)
        ]
        return DualSolutions(self._best_s, Prices(*chosen), _fractions(self._allocation))

    def step(self) -> None:
        """One Newton step of every running region towards its less perturbed optimality conditions."""
        at, model = self._at, self._model
        point = model.evaluate(at.z)
        self._at = _System(model, point, at, self._unit_s).advanced()

    def finish(self, cutoff_s: float, rel_gap: float, undecided: float) -> None:
        """Certify the running regions and drop those that are done."""
        at, index = self._at, self.running
        sound = _sound(at)
        z = np.where(sound[:, None], at.z, self._best_z[index])
        bound = certified_bounds_s(self._problem, self._model.regions, self._model.split(z))
        better = bound > self._best_s[index]
        self._best_s[index[better]], self._best_z[index[better]] = bound[better], z[better]
        self._improved[index[better]] = True
        self._allocation[index[sound]] = at.weight[sound]
        best, left = self._best_s[index], _complementarity(self._model, at) + at.imbalance_s
        lacking = np.maximum(cutoff_s - best, 0.0)
        hopeless = (left < undecided * lacking) if math.isfinite(cutoff_s) else np.zeros(len(best), dtype=bool)
        done = (best > cutoff_s) | (np.isfinite(best) & (left < rel_gap * np.abs(best))) | hopeless
        done |= (at.length < STALLED) | ~sound | ~np.isfinite(left)
        if done.any():
            self._keep(~done)

    def _keep(self, kept: BoolArray) -> None:
        self.running = self.running[kept]
        self._at, self._unit_s = self._at.take(kept), self._unit_s[kept]
        self._model = DualModel(self._problem, self._model.regions.take(np.flatnonzero(kept)))


@dataclass(frozen=True, eq=False)
class _Direction:
    """A step of every part of the iterates."""

    z: FloatArray
    y: FloatArray
    sigma: FloatArray
    slack: FloatArray
    weight: FloatArray


class _System:
    """The Newton system of the running regions at one point, factored once for predictor and corrector."""

    def __init__(self, model: DualModel, point: DualPoint, at: _Iterate, unit_s: FloatArray) -> None:
        self._model, self._point, self._at = model, point, at
        self._allowed = np.isfinite(point.value)
        self._stiffness = at.weight / at.slack
        self._total_stiffness = self._stiffness.sum(axis=1)
        value = np.where(self._allowed, point.value, 0.0)
        self._slack_error = np.where(self._allowed, at.sigma[:, None, :] - value - at.slack, 0.0)
        self._scale = np.where(model.positive, at.z, np.where(model.moving, unit_s[:, None], 1.0))
        self._solve = _factored(self._matrix())
        self._gradient = point.objective_gradient() + point.pull_back(at.weight)
        self._imbalance_s = (np.abs(self._gradient - at.y) * self._scale * model.moving).sum(axis=1)

    def advanced(self) -> _Iterate:
        """Return the iterates after Mehrotra's step: aim low, see how far that leads, centre and correct by that.

        The second-order correction counts as far as the first step could be followed.
        """
        at, model = self._at, self._model
        pairs = self._allowed.sum(axis=(1, 2)) + model.positive.sum(axis=1)
        present = _complementarity(model, at)
        affine = self._direction(np.zeros((len(present), 1, 1)), np.zeros((len(present), 1)))
        primal, dual = self._lengths(affine)
        ahead, trust = self._moved(affine, primal, dual), primal * dual
        centring = np.clip((_complementarity(model, ahead) / present) ** 3, 1e-4, 1.0)
        target = centring * present / pairs
        corrector = self._direction(
            target[:, None, None] - trust[:, None, None] * affine.slack * affine.weight,
            target[:, None] - trust[:, None] * affine.z * affine.y,
        )
        return self._moved(corrector, *self._lengths(corrector))

    def _lengths(self, step: _Direction) -> tuple[FloatArray, FloatArray]:
        """How far prices and slacks, and their multipliers, may go, shapes (regions,)."""
        at, allowed, positive = self._at, self._allowed, self._model.positive
        primal = np.minimum(_boundary(at.slack, step.slack, allowed), _boundary(at.z, step.z, positive))
        dual = np.minimum(_boundary(at.weight, step.weight, allowed), _boundary(at.y, step.y, positive))
        return primal, dual

    def _moved(self, step: _Direction, primal: FloatArray, dual: FloatArray) -> _Iterate:
        at = self._at
        return _Iterate(
            z=at.z + primal[:, None] * step.z,
            y=at.y + dual[:, None] * step.y,
            sigma=at.sigma + primal[:, None] * step.sigma,
            slack=at.slack + primal[:, None, None] * step.slack,
            weight=at.weight + dual[:, None, None] * step.weight,
            length=np.minimum(primal, dual),
            imbalance_s=(1 - np.minimum(primal, dual)) * self._imbalance_s,
        )

    def _direction(self, pair_target: FloatArray, price_target: FloatArray) -> _Direction:
        """Step towards slack * weight = `pair_target` and z * y = `price_target`."""
        model, at, allowed = self._model, self._at, self._allowed
        wanted = np.where(allowed, pair_target / at.slack - at.weight, 0.0) - self._stiffness * self._slack_error
        missing = 1.0 - at.weight.sum(axis=1)
        shift = (wanted.sum(axis=1) - missing) / self._total_stiffness
        residual = self._gradient + self._point.pull_back(wanted - self._stiffness * shift[:, None, :])
        residual -= np.where(model.positive, price_target / self._scale, 0.0)
        z = self._solve(np.where(model.moving, -residual * self._scale, 0.0)) * self._scale
        value = self._point.push_forward(z)
        sigma = shift + (self._stiffness * value).sum(axis=1) / self._total_stiffness
        rise = sigma[:, None, :] - value
        return _Direction(
            z=z,
            y=np.where(model.positive, (price_target - at.y * (at.z + z)) / self._scale, 0.0),
            sigma=sigma,
            slack=np.where(allowed, rise + self._slack_error, 0.0),
            weight=np.where(allowed, wanted - self._stiffness * rise, 0.0),
        )

    def _matrix(self) -> FloatArray:
        """The system in the prices alone, relative to their scale; prices that are not there step nowhere."""
        model, at = self._model, self._at
        matrix = self._point.curvature(at.weight, self._stiffness)
        matrix *= (self._scale * model.moving)[:, :, None]
        matrix *= (self._scale * model.moving)[:, None, :]
        diagonal = np.arange(matrix.shape[1])
        ridge = RIDGE * np.trace(matrix, axis1=1, axis2=2)[:, None] / len(diagonal)
        matrix[:, diagonal, diagonal] += np.where(model.positive, at.y * at.z, ~model.moving) + ridge
        return matrix


def _factored(matrix: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Return a solver of the regions' systems, shape (regions, prices); a lone one is factored once."""
    if len(matrix) > 1:
        return lambda right: _solve(matrix, right)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)
        factors = lu_factor(matrix[0], overwrite_a=True, check_finite=False)
    return lambda right: np.asarray(lu_solve(factors, right[0], check_finite=False), dtype=np.float64)[None, :]


def _solve(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve each system; a singular one in the least-squares sense."""
    try:
        return np.asarray(np.linalg.solve(matrix, right[:, :, None])[:, :, 0], dtype=np.float64)
    except np.linalg.LinAlgError:
        pairs = zip(matrix, right, strict=True)
        return np.array([_least_squares(a, b) for a, b in pairs], dtype=np.float64)


def _least_squares(matrix: FloatArray, right: FloatArray) -> FloatArray:
    try:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0], dtype=np.float64)
    except np.linalg.LinAlgError:  # entries that are no numbers
        return np.full_like(right, np.nan)


def _starting_iterate(model: DualModel, start: Prices, unit_s: FloatArray, spread: float) -> _Iterate:
    """Slacks of `spread` subchannel values beyond the best client, and multipliers that complement them evenly."""
    z = model.join(start, COUNT_START * spread * unit_s)
    value = model.evaluate(z).value
    margin = spread * unit_s
    most = value.max(axis=1)
    sigma = most + margin[:, None]
    slack = np.where(np.isfinite(value), most[:, None, :] - value + margin[:, None, None], np.inf)
    weight = margin[:, None, None] / slack
    weight /= weight.sum(axis=1, keepdims=True)
    slack = np.where(np.isfinite(slack), slack, 1.0)
    average = (weight * slack).sum(axis=(1, 2)) / np.isfinite(value).sum(axis=(1, 2))
    y = np.divide(average[:, None], z, out=np.zeros_like(z), where=model.positive)
    return _Iterate(z, y, sigma, slack, weight, np.ones(len(z)), np.full(len(z), np.inf))


def _subchannel_value_s(model: DualModel, prices: Prices) -> FloatArray:
    """The average value of a subchannel, shape (regions,)."""
    point = model.evaluate(model.join(prices, np.zeros(len(prices.total_power))))
    end_s = point.uplink_end.end_s + point.downlink_end.end_s
    if point.exchange_end is not None:
        end_s = end_s + point.exchange_end.end_s
    value: FloatArray = end_s / point.value.shape[2]
    return value


def _sound(at: _Iterate) -> BoolArray:
    """Which regions' prices and multipliers are numbers, shape (regions,)."""
    sound: BoolArray = np.isfinite(at.z.sum(axis=1) + at.weight.sum(axis=(1, 2)))
    return sound


def _fractions(weight: FloatArray) -> FloatArray:
    """Scale the multipliers of each subchannel to sum to one; even shares where they are no numbers."""
    total = weight.sum(axis=1, keepdims=True)
    known = np.isfinite(total) & (total > 0)
    return np.where(known, weight / np.where(known, total, 1.0), 1.0 / weight.shape[1])


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
