"""Marginal values of resources from the prices of a cut layer's dual (its envelope theorem)."""

from __future__ import annotations

import numpy as np

from epsl_opt.arrays import FloatArray
from epsl_opt.instance import Instance
from epsl_opt.marginal_values import MarginalValues
from epsl_opt.solvers.lagrangian import CutProblem, PhaseEnds, Prices, phase_ends, subchannel_values

GIGA = 1e9


def marginal_values(instance: Instance, problem: CutProblem, prices: Prices) -> MarginalValues:
    """Read marginal values off the prices of one region that is the whole cut layer.

    A second less of a client's own forward pass saves its share of the uplink phase, price * traffic / (T1 - t1_i)^2;
    the shares of all clients sum to one. The same holds backward.
    """
    costs = problem.costs
    uplink = phase_ends(costs.client_forward_s, problem.uplink_nats * prices.uplink)
    downlink = phase_ends(costs.client_backward_s, costs.downlink_bits * prices.downlink)
    forward = _shares(problem.uplink_nats * prices.uplink, uplink, costs.client_forward_s) * costs.client_forward_s
    backward = _shares(costs.downlink_bits * prices.downlink, downlink, costs.client_backward_s)
    backward = backward * costs.client_backward_s
    server_s = costs.server_forward_s + costs.server_backward_s
    value = subchannel_values(problem, problem.everything(), prices)[0]
    return MarginalValues(
        total_uplink_power_s_per_w=float(prices.total_power[0]),
        client_power_s_per_w=prices.power[0],
        client_compute_s_per_gflops=GIGA * (forward + backward) / instance.client_flops_per_s,
        server_compute_s_per_gflops=GIGA * server_s / instance.server_flops_per_s,
        subchannel_s=np.maximum(value.max(axis=0), 0.0),
    )


def _shares(cost: FloatArray, end: PhaseEnds, ready_s: FloatArray) -> FloatArray:
    """Each client's share in the end of a phase; all on the last to be ready where no rate has a price."""
    last = ready_s == ready_s.max()
    shares: FloatArray = last / np.count_nonzero(last)
    if (cost > 0).any():
        shares = np.divide(cost[0], (end.end_s[0] - ready_s) ** 2, out=np.zeros_like(ready_s), where=cost[0] > 0)
    return shares
