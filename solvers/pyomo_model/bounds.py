"""What a subsolver's dual bound proves, its tolerances considered."""

from __future__ import annotations

import math

from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, ScaledPhase


def safe_bound_s(data: ScaledCut, bound: float, tolerance: float) -> float:
    """Return a lower bound in seconds on the latency at this cut layer from a dual bound in units of `data.unit_s`.

    A subsolver works to tolerances: each row, whole number and reduced cost may be off by delta, so that its dual bound
    is one of a slightly larger set. With every row scaled to about one:

    - A point that keeps each row to delta becomes a feasible one when r and q shrink by 1 + delta, which the
      homogeneous perspective follows, and each u_ik by delta: a client's rate falls by a share delta and by
      (M + 2) delta more (one delta for each subchannel, its sum and its deadline). A client with time s = 1 / R left
      then needs about s (1 + (M + 2) s) delta longer, with s at most the largest time of the phase.
    - Reduced costs off by delta move a linear program's value by at most delta times the ranges of all variables.

    Twice the sum is taken off. Scaling and presolve inside the subsolver are beyond our sight, so that this is an
    allowance for known errors, not a proof in exact arithmetic; the closed-form Lagrangian bound is one.
    """
    if not math.isfinite(bound):
        return -math.inf
    C, M = data.shape
    ranges = 3.0 * C * M + C * data.most
    longest = 0.0
    for phase in (data.uplink, data.downlink):
        if phase is not None:
            longest += _stretch(phase, M)
            ranges += M * float(phase.most_rate.sum()) + _end_range(phase)
    return data.unit_s * (bound - 2 * tolerance * (longest + ranges))


def _stretch(phase: ScaledPhase, n_subchannels: int) -> float:
    time = _end_range(phase) + float(phase.head_start.max())
    return time * (1 + (n_subchannels + 2) * time)


def _end_range(phase: ScaledPhase) -> float:
    """The end of a phase, at most; without a schedule in hand, about the reference time."""
    return phase.latest if math.isfinite(phase.latest) else phase.earliest + 1.0
