"""The model, put together from its blocks; `tangents.OuterApproximation` is its other form."""

from __future__ import annotations

import pyomo.environ as pyo

from epsl_opt.solvers.pyomo_model.allocation import add_allocation
from epsl_opt.solvers.pyomo_model.cut_layer import add_latency
from epsl_opt.solvers.pyomo_model.phases import add_deadlines, add_phases
from epsl_opt.solvers.pyomo_model.power import add_power
from epsl_opt.solvers.pyomo_model.pyomo_types import Model
from epsl_opt.solvers.pyomo_model.rates import add_capacity, add_uplink_rates
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut


def minlp(data: ScaledCut, unit_s: float | None = None) -> Model:
    """Return the convex MINLP of a cut layer; its objective is in units of `unit_s` (the data's unit if None)."""
    model = blocks(data, unit_s)
    if data.sending:
        add_capacity(model, data, data.sending[0])
    add_deadlines(model, data)
    return model


def blocks(data: ScaledCut, unit_s: float | None) -> Model:
    """Return what both forms share: all but the curves; the objective is in units of `unit_s` seconds."""
    C, M = data.shape
    model = pyo.ConcreteModel()
    model.clients, model.subchannels = pyo.RangeSet(0, C - 1), pyo.RangeSet(0, M - 1)
    add_allocation(model, data)
    if data.sending:
        add_power(model, data)
        add_uplink_rates(model, data.sending[0])
    add_phases(model, data)
    add_latency(model, data, data.unit_s if unit_s is None else unit_s)
    return model
