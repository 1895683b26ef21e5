"""What a subsolver's dual bound proves, its tolerances considered."""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, ScaledPhase


def safe_bound_s(data: ScaledCut, bound: float, tolerance: float) -> float:
    """Return a lower bound in seconds on the latency at this cut layer from a dual bound in units of `data.unit_s`.

    A subsolver works to tolerances: each row, whole number and reduced cost may be off by delta. With every row and
    variable scaled to about one:

    - Reduced costs off by delta move a linear program's value by at most delta times the ranges of all variables.
    - Rows off by delta only make the set that is bounded larger, which keeps a bound a bound; but where presolve or
      bound tightening counts on them, the value may move as far as the optimum does when the rows move by delta. The
      homogeneous perspective follows when r and q shrink by 1 + delta, and u_ik by delta besides: a client's rate falls
      by at most (M + 3) delta, and it needs s / R (M + 3) delta longer, with s the time it has and R its rate. (Where
      models are exchanged, R is no less than that asks for, which keeps s / R down in an uplink phase with less to do.)

    Twice the sum is taken off. Scaling and presolve inside the subsolver are beyond our sight, so that this is an
    allowance for known errors, not a proof in exact arithmetic; the closed-form Lagrangian bound is one.
    """
    if not math.isfinite(bound):
        return -math.inf
    C, M = data.shape
    bound_s = bound * data.unit_s
    spare_s = max(bound_s - data.fixed_s - data.unit_s, 0.0)
    moved_s = data.unit_s * (3.0 * C * M + C * data.most) + spare_s
    sending, receiving = data.sending, () if data.downlink is None else (data.downlink,)
    stretches_s = [_stretch_s(phase, group, M, spare_s) for group in (sending, receiving) for phase in group]
    return bound_s - 2 * tolerance * (moved_s + sum(stretches_s))


def _stretch_s(phase: ScaledPhase, group: tuple[ScaledPhase, ...], n_subchannels: int, spare_s: float) -> float:
    """How much longer the phase gets per delta; it ends at most `spare_s` after its earliest end.

    `group` are the phases at the same rates.
    """
    with np.errstate(over="ignore"):  # beyond all numbers the allowance is infinite, and there is no bound
        time = _time(phase, spare_s)
        own = phase.work / time
        rate = np.max([other.work / _time(other, spare_s) for other in group], axis=0)
        spared = np.divide(own, rate, out=np.ones_like(own), where=rate > 0) ** 2
        return phase.unit_s * float((time * time / phase.work * spared).max()) * (n_subchannels + 3)


def _time(phase: ScaledPhase, spare_s: float) -> FloatArray:
    """What each client has at most, in the unit of the phase, shape (clients,)."""
    return 1 + spare_s / phase.unit_s + phase.head_start
