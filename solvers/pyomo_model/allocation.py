"""Block 1, allocation: which client holds which subchannel."""

from __future__ import annotations

from collections.abc import Callable

import pyomo.environ as pyo

from epsl_opt.solvers.pyomo_model.pyomo_types import Model, Relation
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, ScaledPhase


def add_allocation(model: Model, data: ScaledCut) -> None:
    """Add r_ik in {0, 1} and the counts n_i.

    The counts are redundant, but with n_i whole and r_ik continuous the model is a relaxation in which near-identical
    subchannels need not be told apart; it is solved first.
    """
    model.r = pyo.Var(model.clients, model.subchannels, domain=pyo.Binary)
    model.n = pyo.Var(model.clients, domain=pyo.NonNegativeIntegers, bounds=(data.least, data.most))
    model.one_client = pyo.Constraint(model.subchannels, rule=_one_client)
    model.count = pyo.Constraint(model.clients, rule=_count)
    sending = data.sending[0] if data.sending else None
    for name, phase in (("uplink_heard", sending), ("downlink_heard", data.downlink)):
        if phase is not None and not phase.heard.all():
            model.add_component(name, pyo.Constraint(model.clients, rule=_heard_on(phase)))


def _one_client(model: Model, k: int) -> Relation:
    """sum_i r_ik = 1 (a free subchannel may as well be anybody's, without power)."""
    return sum(model.r[i, k] for i in model.clients) == 1


def _count(model: Model, i: int) -> Relation:
    """n_i = sum_k r_ik."""
    return model.n[i] == sum(model.r[i, k] for k in model.subchannels)


def _heard_on(phase: ScaledPhase) -> Callable[[Model, int], Relation]:
    def heard(model: Model, i: int) -> Relation:
        """sum_k r_ik >= 1 over the subchannels on which the client has a gain."""
        held = [model.r[i, k] for k in model.subchannels if phase.heard[i, k]]
        return sum(held) >= 1 if held else pyo.Constraint.Infeasible

    return heard
