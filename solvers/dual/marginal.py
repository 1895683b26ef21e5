"""Marginal values of resources from the prices of a cut layer's dual (its envelope theorem)."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.marginal_values import MarginalValues
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices, phase_ends, subchannel_values

GIGA = 1e9


def marginal_values(instance: Instance, problem: CutProblem, prices: Prices) -> MarginalValues | None:
    """Read marginal values off the prices of one region that is the whole cut layer; None if one is not finite.

    A second less of a client's own forward pass saves its share of the uplink phase, price * traffic / (T1 - t1_i)^2;
    the shares of all clients sum to one. The same holds backward.
    """
    costs = problem.costs
    server_s = costs.server_forward_s + costs.server_backward_s
    with np.errstate(over="ignore", invalid="ignore"):
        forward = _shares(problem.uplink_nats * prices.uplink, costs.client_forward_s) * costs.client_forward_s
        backward = _shares(problem.downlink_bits * prices.downlink, costs.client_backward_s) * costs.client_backward_s
        value = subchannel_values(problem, problem.everything(), prices)[0]
        found = {
            "total_uplink_power_s_per_w": float(prices.total_power[0]),
            "client_power_s_per_w": prices.power[0],
            "client_compute_s_per_gflops": GIGA * (forward + backward) / instance.client_flops_per_s,
            "server_compute_s_per_gflops": GIGA * server_s / instance.server_flops_per_s,
            "subchannel_s": np.maximum(value.max(axis=0), 0.0),
        }
    return MarginalValues(**found) if all(np.isfinite(part).all() for part in found.values()) else None


def _shares(cost: FloatArray, ready_s: FloatArray) -> FloatArray:
    """Each client's share in the end of a phase; all on the last to be ready where no rate has a price."""
    last = ready_s == ready_s.max()
    shares: FloatArray = last / np.count_nonzero(last)
    if (cost > 0).any():
        slack = phase_ends(ready_s, cost).slack_s[0]
        shares = np.divide(np.sqrt(cost[0]), slack, out=np.zeros_like(ready_s), where=cost[0] > 0) ** 2
    return shares
