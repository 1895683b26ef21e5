"""Block 3, rates: u_ik is client i's uplink rate on subchannel k; the downlink rate is linear in r."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.pyomo_model.pyomo_types import Expression, Model, Relation
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, ScaledPhase


def add_uplink_rates(model: Model, phase: ScaledPhase) -> None:
    """Add u_ik, at most what client i can ever need."""
    model.u = pyo.Var(model.clients, model.subchannels, bounds=(0, 1))
    model.used = pyo.Constraint(model.clients, model.subchannels, rule=lambda m, i, k: _used(m, phase, i, k))


def _used(model: Model, phase: ScaledPhase, i: int, k: int) -> Relation:
    """u_ik <= r_ik, and 0 without a gain."""
    return model.u[i, k] <= (model.r[i, k] if phase.heard[i, k] else 0)


def add_capacity(model: Model, data: ScaledCut, phase: ScaledPhase) -> None:
    """MINLP: add the capacity of every subchannel as it is."""
    pairs = [(int(i), int(k)) for i, k in np.argwhere(phase.heard)]
    model.capacity = pyo.Constraint(pairs, rule=lambda m, i, k: _capacity(m, data, phase, i, k))


def _capacity(model: Model, data: ScaledCut, phase: ScaledPhase, i: int, k: int) -> Relation:
    """u_ik <= B_k ln(1 + g_ik q_ik), with q_ik <= r_ik in place of the perspective: smooth at r = 0, and convex."""
    return model.u[i, k] <= phase.rate[i, k] * pyo.log(1 + data.snr[i, k] * model.q[i, k])


def capacity_tangent(model: Model, data: ScaledCut, phase: ScaledPhase, i: int, k: int, snr: float) -> Relation:
    """u_ik <= B_k [ (ln(1+s) - s/(1+s)) r_ik + g_ik/(1+s) q_ik ]: tangent of the perspective at the SNR s.

    The perspective r B ln(1 + g q / r) is concave and homogeneous, so that its tangent plane at any s lies above it.
    """
    slope = 1 / (1 + snr)
    at_zero = phase.rate[i, k] * (np.log1p(snr) - snr * slope)
    gain = phase.rate[i, k] * data.snr[i, k] * slope
    return model.u[i, k] <= float(at_zero) * model.r[i, k] + float(gain) * model.q[i, k]


def uplink_rate(model: Model, i: int) -> Expression:
    """R_i = sum_k u_ik."""
    return sum(model.u[i, k] for k in model.subchannels)


def downlink_rate(model: Model, phase: ScaledPhase, i: int) -> Expression:
    """R'_i = sum_k min(D_ik, 1) r_ik: what exceeds all that a client can ever need changes nothing."""
    rate = np.minimum(phase.rate[i], 1.0)
    return sum(float(rate[k]) * model.r[i, k] for k in model.subchannels)


def capacity(
    data: ScaledCut, phase: ScaledPhase, share: FloatArray, power: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the perspective r B ln(1 + g q / r) and the SNR g q / r, both shape (clients, subchannels)."""
    snr = np.divide(data.snr * power, share, out=np.zeros_like(power), where=share > 0)
    return share * phase.rate * np.log1p(snr), snr
