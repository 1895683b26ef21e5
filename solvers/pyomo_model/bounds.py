"""What a subsolver's dual bound proves, its tolerances considered."""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, ScaledPhase


def safe_bound_s(data: ScaledCut, bound: float, tolerance: float) -> float:
    """Return a lower bound in seconds on the latency at this cut layer from a dual bound in units of `data.unit_s`.

    A subsolver works to tolerances: each row, whole number and reduced cost may be off by delta. With every row and
    variable scaled to about one:

    - Reduced costs off by delta move a linear program's value by at most delta times the ranges of all variables.
    - Rows off by delta only make the set that is bounded larger, which keeps a bound a bound; but where presolve or
      bound tightening counts on them, the value may move as far as the optimum does when the rows move by delta. The
      homogeneous perspective follows when r and q shrink by 1 + delta, and u_ik by delta besides: a client's rate falls
      by at most (M + 3) delta, and it needs s / R (M + 3) delta longer, with s the time it has and R its rate.

    Twice the sum is taken off. Scaling and presolve inside the subsolver are beyond our sight, so that this is an
    allowance for known errors, not a proof in exact arithmetic; the closed-form Lagrangian bound is one.
    """
    if not math.isfinite(bound):
        return -math.inf
    C, M = data.shape
    bound_s = bound * data.unit_s
    spare_s = max(bound_s - data.fixed_s - data.unit_s, 0.0)
    moved_s = data.unit_s * (3.0 * C * M + C * data.most) + spare_s
    phases = [phase for phase in (data.uplink, data.downlink) if phase is not None]
    return bound_s - 2 * tolerance * (moved_s + sum(_stretch_s(phase, M, spare_s) for phase in phases))


def _stretch_s(phase: ScaledPhase, n_subchannels: int, spare_s: float) -> float:
    """How much longer the phase gets per delta; it ends at most `spare_s` after its earliest end."""
    with np.errstate(over="ignore"):  # beyond all numbers the allowance is infinite, and there is no bound
        time = 1 + spare_s / phase.unit_s + phase.head_start
        return phase.unit_s * float((time * time / (1 + phase.head_start)).max()) * (n_subchannels + 3)
