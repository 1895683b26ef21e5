"""Block 2, power: q_ik is the share of `full_power` (a constant w_ik, in units of P_th) that client i spends on k."""

from __future__ import annotations

import pyomo.environ as pyo

from epsl_opt.solvers.pyomo_model.pyomo_types import Model, Relation
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut


def add_power(model: Model, data: ScaledCut) -> None:
    """Add the power shares q_ik in [0, 1] and the two power limits."""
    model.q = pyo.Var(model.clients, model.subchannels, bounds=(0, 1))
    model.held = pyo.Constraint(model.clients, model.subchannels, rule=_held)
    model.client_power = pyo.Constraint(model.clients, rule=lambda m, i: _client_power(m, data, i))
    model.total_power = pyo.Constraint(rule=lambda m: _total_power(m, data))


def _held(model: Model, i: int, k: int) -> Relation:
    """q_ik <= r_ik: no power on a subchannel that belongs to somebody else."""
    return model.q[i, k] <= model.r[i, k]


def _client_power(model: Model, data: ScaledCut, i: int) -> Relation:
    """sum_k w_ik q_ik / P_i <= 1."""
    share = data.full_power[i] / data.power_limit[i]
    return sum(share[k] * model.q[i, k] for k in model.subchannels) <= 1


def _total_power(model: Model, data: ScaledCut) -> Relation:
    """sum_ik w_ik q_ik <= 1, in units of P_th."""
    return sum(data.full_power[i, k] * model.q[i, k] for i in model.clients for k in model.subchannels) <= 1
