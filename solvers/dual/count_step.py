"""One Newton step of the interior-point method for the dual per count.

Each class is eliminated into its client, each client into the prices that all share: what remains is one symmetric
system in mu, nu and the normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.dual.count_iterate import CountIterate, Limited, Pair, complementarity
from epsl_opt.solvers.dual.count_model import OWN, CountModel

RIDGE = 1e-13


@dataclass(frozen=True, eq=False)
class _Targets:
    """How the products of all pairs should change, in the order of `Limited.pairs`."""

    over: FloatArray
    under: FloatArray
    surplus: FloatArray
    low: FloatArray
    high: FloatArray
    spare: FloatArray


class CountStep:
    """The system at one iterate, factored once for predictor and corrector.

    Every class counts `floor` more than its share, so that prices of classes that are not the cheapest get good, too.
    """

    def __init__(self, model: CountModel, limits: FloatArray, at: CountIterate, floor: float) -> None:
        self._model, self._limits, self._at = model, limits, at
        self._limited = Limited.of(model)
        self._pairs = self._limited.pairs(at)
        self._response = response = model.respond(at.own, float(at.total))
        excess = (at.own[:, 3] - at.own[:, 4])[:, None] - at.subchannel + response.value
        self._under_error = at.over - excess - at.under
        weight = at.share + floor
        self._left_error = weight[:, None] - at.left - at.held
        self._surplus_error = (limits * at.own).sum(axis=1) - at.over.sum(axis=1) - self._of_client(at.client)
        self._surplus_error -= at.surplus
        first, self._stiff = at.left / at.over, at.held / at.under
        self._soft = 1.0 / (first + self._stiff)
        self._part = self._stiff * self._soft
        self._both = first * self._part
        self._power = (model.units.total / model.units.second) * response.power
        self._slopes = self._own_slopes()
        self._gradient = at.high - at.low - weight[:, None] * limits + self._pulled(at.held)
        self._gradient *= model.moving
        self._factor()

    def _of_client(self, value: FloatArray) -> FloatArray:
        own: FloatArray = value[self._model.classes.client]
        return own

    def _own_slopes(self) -> FloatArray:
        """Slopes of the excess in all own prices but the last, which is minus the fourth's."""
        model, response = self._model, self._response
        slopes = np.empty((len(model.moving), 4, model.n_subchannels))
        slopes[:, 0] = response.rate
        slopes[:, 1] = response.downlink
        slopes[:, 2] = (-model.budget_unit / model.units.second)[:, None] * response.power
        slopes[:, 3] = 1.0
        if not model.moving[0, :3].all():
            slopes *= model.moving[:, :4, None]
        return slopes

    def _pulled(self, weight: FloatArray) -> FloatArray:
        """Sum over subchannels of slopes times weights, shape (classes, 5)."""
        four = (self._slopes @ weight[:, :, None])[:, :, 0]
        return np.concatenate([four, -four[:, 3:]], axis=1) * self._model.moving

    def _curvature(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Second derivatives of what the classes pay, in (rate, rate), (rate, budget), (budget, budget)."""
        model, at = self._model, self._at
        used = (at.held * (self._response.power > 0)) @ model.problem.bandwidth_hz / model.units.second
        unit, budget, there = model.rate_unit, self._response.budget, self._response.budget > 0
        in_rate = np.divide(used * unit, at.own[:, 0], out=np.zeros_like(used), where=at.own[:, 0] > 0)
        mixed = -np.divide(used * unit, budget, out=np.zeros_like(used), where=there)
        in_budget = np.divide(used * at.own[:, 0] * unit, budget**2, out=np.zeros_like(used), where=there)
        return in_rate, mixed, in_budget

    def _factor(self) -> None:
        """Factor the classes' own systems and what is left of the shared prices'."""
        model, at = self._model, self._at
        K, M, budget, total = len(model.moving), model.n_subchannels, model.budget_unit, model.units.total
        in_rate, mixed, in_budget = self._curvature()
        weighted = self._slopes * self._both[:, None, :]
        core = weighted @ np.swapaxes(self._slopes, 1, 2)
        core[:, 0, 0] += in_rate
        core[:, 0, 2] += mixed * budget
        core[:, 2, 0] += mixed * budget
        core[:, 2, 2] += in_budget * budget**2
        (low, _), (high, _) = self._pairs[3:5]
        matrix, coupling = np.zeros((K, OWN + 1, OWN + 1)), np.zeros((K, OWN + 1, M + 2))
        matrix[:, :OWN, :OWN] = _expanded(core) * (model.moving[:, :, None] & model.moving[:, None, :])
        diagonal = np.arange(OWN)
        matrix[:, diagonal, diagonal] += at.low / low + at.high / high + ~model.moving + RIDGE
        matrix[:, :OWN, OWN] = matrix[:, OWN, :OWN] = self._pulled(self._part) - self._limits
        matrix[:, OWN, OWN] = -at.surplus / at.share - self._soft.sum(axis=1)
        coupling[:, :4, :M] = weighted
        coupling[:, :4, M] = (weighted @ self._power[:, :, None])[:, :, 0]
        coupling[:, 4] = -coupling[:, 3] * model.moving[:, 4, None]
        coupling[:, 0, M] -= mixed * total
        coupling[:, 2, M] -= in_budget * budget * total
        coupling[:, OWN, :M] = self._part
        coupling[:, OWN, M] = (self._part * self._power).sum(axis=1)
        coupling[:, OWN, M + 1] = 1.0
        self._own_matrix = matrix
        solved: FloatArray = np.asarray(np.linalg.solve(matrix, coupling), dtype=np.float64)
        self._reach, self._unit = solved[:, :, : M + 1], solved[:, :, M + 1]
        self._client_reach = model.classes.per_client(self._reach[:, OWN])
        self._client_unit = model.classes.per_client(self._unit[:, OWN])
        self._shared = lu_factor(self._shared_matrix(coupling, in_budget), overwrite_a=True, check_finite=False)

    def _shared_matrix(self, coupling: FloatArray, in_budget: FloatArray) -> FloatArray:
        model, at, M = self._model, self._at, self._model.n_subchannels
        matrix = np.zeros((M + 2, M + 2))
        powered = self._both * self._power
        matrix[:M, M] = matrix[M, :M] = powered.sum(axis=0)
        diagonal = np.arange(M)
        matrix[diagonal, diagonal] = self._both.sum(axis=0)
        curved = in_budget.sum() * model.units.total**2
        matrix[M, M] = (powered * self._power).sum() + curved + at.spare / at.total
        flat = coupling[:, :, : M + 1].reshape(-1, M + 1)
        matrix[: M + 1, : M + 1] -= flat.T @ self._reach.reshape(-1, M + 1)
        matrix[: M + 1, : M + 1] += self._client_reach.T @ (self._client_reach / self._client_unit[:, None])
        matrix[M + 1, :M] = matrix[:M, M + 1] = 1.0
        matrix[M + 1, M] = matrix[M, M + 1] = model.total_power
        return matrix

    def missed(self) -> dict[str, FloatArray]:
        """How far the iterate is from meeting the linear conditions, by what they are about."""
        at, model = self._at, self._model
        power = at.scale * model.total_power - (at.held * self._power).sum() - at.spare
        return {
            "under": self._under_error,
            "left": self._left_error,
            "surplus": self._surplus_error,
            "own prices": self._gradient,
            "total power": np.asarray(power),
            "shares": 1.0 - model.classes.per_client(at.share),
            "normalisation": np.asarray(model.n_subchannels - at.subchannel.sum() - model.total_power * at.total),
        }

    def newton(self) -> CountIterate:
        """The step that would meet all conditions, were they linear."""
        return self._direction(_Targets(*(-value * price for value, price in self._pairs)))

    def advanced(self) -> tuple[CountIterate, float, float]:
        """Return the iterate after Mehrotra's step, its length and the complementarity before it.

        Aim low, see how far that leads, centre and correct by that as far as the first step could be followed.
        """
        at, limited, pairs = self._at, self._limited, self._pairs
        before = complementarity(pairs)
        affine = self.newton()
        primal, dual = limited.lengths(at, affine)
        ahead = complementarity(limited.pairs(at.moved(affine, primal, dual)))
        number = 2 * at.over.size + at.surplus.size + limited.count + 1
        target = float(np.clip((ahead / before) ** 3, 1e-4, 1.0)) * before / number
        changes, trust = limited.changes(affine), primal * dual
        step = self._direction(_Targets(*(_aimed(p, c, target, trust) for p, c in zip(pairs, changes, strict=True))))
        primal, dual = limited.lengths(at, step)
        return at.moved(step, primal, dual), min(primal, dual), before

    def _direction(self, aim: _Targets) -> CountIterate:
        """Solve for the step that changes the pairs' products by `aim`, to first order."""
        model, at, limited, M = self._model, self._at, self._limited, self._model.n_subchannels
        (low, _), (high, _) = self._pairs[3:5]
        lift = aim.under / at.under - self._stiff * self._under_error
        over = self._soft * (aim.over / at.over + lift - self._left_error)
        held = lift - self._stiff * over
        own = -self._gradient - self._pulled(held)
        own += np.where(limited.below, aim.low / low, 0.0) - np.where(limited.above, aim.high / high, 0.0)
        cost = aim.surplus / at.share + over.sum(axis=1) - self._surplus_error
        right = np.column_stack([own * model.moving, -cost])
        alone = np.linalg.solve(self._own_matrix, right[:, :, None])[:, :, 0]
        lack = model.classes.per_client(alone[:, OWN] + at.share) - 1.0
        shared = np.empty(M + 2)
        shared[:M] = (at.held + held).sum(axis=0) - at.scale
        used = ((at.held + held) * self._power).sum()
        shared[M] = used + at.spare - at.scale * model.total_power + aim.spare / at.total
        shared[M + 1] = M - at.subchannel.sum() - model.total_power * at.total
        shared[: M + 1] += right.reshape(-1) @ self._reach.reshape(-1, M + 1)
        shared[: M + 1] -= (lack / self._client_unit) @ self._client_reach
        price = lu_solve(self._shared, shared, check_finite=False)
        client = (lack + self._client_reach @ price[: M + 1]) / self._client_unit
        found = alone + self._reach @ price[: M + 1] - self._unit * self._of_client(client)[:, None]
        return self._completed(aim, found, client, price, over, held)

    def _completed(
        self,
        aim: _Targets,
        found: FloatArray,
        client: FloatArray,
        price: FloatArray,
        over: FloatArray,
        held: FloatArray,
    ) -> CountIterate:
        """The whole step from its part in the prices and shares."""
        at, limited, M = self._at, self._limited, self._model.n_subchannels
        (low, _), (high, _) = self._pairs[3:5]
        own, share = found[:, :OWN], found[:, OWN]
        four = own[:, :4].copy()
        four[:, 3] -= own[:, 4]
        excess = (four[:, None, :] @ self._slopes)[:, 0] - price[:M] - self._power * price[M]
        over = over + self._part * excess - self._soft * share[:, None]
        held = held + self._both * excess + self._part * share[:, None]
        surplus = (self._limits * own).sum(axis=1) - over.sum(axis=1) - self._of_client(client)
        return CountIterate(
            own=own,
            subchannel=price[:M],
            total=price[M],
            client=client,
            over=over,
            under=over - excess + self._under_error,
            surplus=surplus + self._surplus_error,
            held=held,
            left=share[:, None] + self._left_error - held,
            share=share,
            low=np.where(limited.below, (aim.low - at.low * own) / low, 0.0),
            high=np.where(limited.above, (aim.high + at.high * own) / high, 0.0),
            spare=(aim.spare - at.spare * price[M]) / at.total,
            scale=price[M + 1],
        )


def _aimed(pair: Pair, change: Pair, target: float, trust: float) -> FloatArray:
    aimed: FloatArray = target - pair[0] * pair[1] - trust * change[0] * change[1]
    return aimed


def _expanded(core: FloatArray) -> FloatArray:
    """Add the second count price, which acts like minus the first."""
    tall = np.concatenate([core, -core[:, 3:, :]], axis=1)
    return np.concatenate([tall, -tall[:, :, 3:]], axis=2)
