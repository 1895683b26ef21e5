"""Block 5, cut layer: it fixes computing and traffic, so that each cut layer is a model of its own.

A binary choice among the cut layers would need the right-hand sides bits_j / (T - t_ij) switched on and off by big-M
terms, which is neither tight nor more readable; cut layers are few and most are pruned by their bounds.
"""

from __future__ import annotations

import pyomo.environ as pyo

from epsl_opt.solvers.pyomo_model.pyomo_types import Expression, Model
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut


def add_latency(model: Model, data: ScaledCut, unit_s: float) -> None:
    """Add the objective, in units of `unit_s` seconds: what the cut layer fixes, plus the radio phases."""
    model.latency = pyo.Objective(expr=_latency(model, data, unit_s))


def _latency(model: Model, data: ScaledCut, unit_s: float) -> Expression:
    """T = max_i t1_i + t3 + t4 + t5 + max_i t7_i + T1 + T2, and + T3 if models are exchanged."""
    uplink_s = 0.0 if data.uplink is None else data.uplink.unit_s
    downlink_s = 0.0 if data.downlink is None else data.downlink.unit_s
    latency = data.fixed_s + uplink_s * model.T1 + downlink_s * model.T2
    if data.exchange is not None:
        latency += data.exchange.unit_s * model.T3
    return latency / unit_s
