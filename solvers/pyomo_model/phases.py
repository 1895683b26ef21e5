"""Block 4, phases: uplink, downlink and exchange of models end at T1, T2 and T3, when the slowest client is through."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyomo.environ as pyo

from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.pyomo_model.pyomo_types import Expression, Model, Relation
from epsl_opt.solvers.pyomo_model.rates import downlink_rate, uplink_rate
from epsl_opt.solvers.pyomo_model.scaled import LONGEST, ScaledCut, ScaledPhase


def add_phases(model: Model, data: ScaledCut) -> None:
    """Add the ends T1 and T2 (0 for a phase in which nothing is sent) and each client's rates R_i and R'_i.

    Only where models are exchanged is there a T3.
    """
    model.T1 = _end(data.uplink)
    model.T2 = _end(data.downlink)
    if data.exchange is not None:
        model.T3 = _end(data.exchange)
    if data.sending:
        model.uplink_rate = pyo.Expression(model.clients, rule=uplink_rate)
    if (down := data.downlink) is not None:
        model.downlink_rate = pyo.Expression(model.clients, rule=lambda m, i: downlink_rate(m, down, i))


def _end(phase: ScaledPhase | None) -> Expression:
    if phase is None:
        return pyo.Var(bounds=(0, 0), initialize=0)
    latest = phase.latest if math.isfinite(phase.latest) else None
    return pyo.Var(bounds=(1, latest), initialize=1)


def phases(model: Model, data: ScaledCut) -> list[tuple[str, ScaledPhase, Expression, Expression]]:
    """Return (name, numbers, end, rates) of the phases in which something is sent."""
    found = []
    if data.uplink is not None:
        found.append(("uplink", data.uplink, model.T1, model.uplink_rate))
    if data.downlink is not None:
        found.append(("downlink", data.downlink, model.T2, model.downlink_rate))
    if data.exchange is not None:
        found.append(("exchange", data.exchange, model.T3, model.uplink_rate))
    return found


def add_deadlines(model: Model, data: ScaledCut) -> None:
    """MINLP: add what each client must send or receive before a phase ends."""
    for name, phase, end, rate in phases(model, data):
        model.add_component(f"{name}_deadline", pyo.Constraint(model.clients, rule=_deadline(phase, end, rate)))


def _deadline(phase: ScaledPhase, end: Expression, rate: Expression) -> Callable[[Model, int], Relation]:
    def deadline(model: Model, i: int) -> Relation:
        """R_i >= z_i (1 + h_i) / (T + h_i), with the head start h_i and z_i, the need at the earliest end."""
        return rate[i] >= phase.needed_rate(i, end)

    return deadline


def deadline_tangent(phase: ScaledPhase, end: Expression, rate: Expression, i: int, at: float) -> Relation:
    """R_i >= z_i (1 + h_i)/(a + h_i) [1 - (T - a)/(a + h_i)]: tangent of the convex right-hand side at the end a."""
    return rate[i] >= phase.needed_rate(i, at) * (1 - (end - at) / (at + float(phase.head_start[i])))


def first_ends(phase: ScaledPhase, n: int) -> FloatArray:
    """Return n ends of a phase to put tangents at, geometrically between the earliest and the latest."""
    return np.geomspace(1.0, min(phase.latest, LONGEST), n)
