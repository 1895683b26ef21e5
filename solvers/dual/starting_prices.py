"""Prices to start the dual from: the water levels of an allocation, as if P_th alone were scarce."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices
from epsl_opt.solvers.primal.power_control import rows_of, uplink_phase_s

OWN_SHARE = 0.1
ROUGHLY = 1e-15
"""A phase so short beside computing has lost its digits; any slack of that order does to start from."""


def starting_prices(instance: Instance, problem: CutProblem, owner: IntArray) -> Prices:
    """Return prices near the optimum's from an allocation that leaves nothing free, shape (subchannels,).

    At the optimum a client's uplink price is its water level times its power price, and the prices weigh the clients'
    phases with total weight one. `OWN_SHARE` of the power price goes to each P_i, the rest to P_th.
    """
    uplink, power = _uplink_prices(instance, problem, owner)
    own = np.full(len(uplink), OWN_SHARE * power)
    rows = (uplink, _downlink_prices(problem, owner), own, np.array(power), np.zeros(len(uplink)))
    return Prices(*(row[None] for row in rows)).in_range()


def _uplink_prices(instance: Instance, problem: CutProblem, owner: IntArray) -> tuple[FloatArray, float]:
    costs: CutCosts = problem.costs
    if problem.uplink_nats == 0:
        return np.zeros(instance.n_clients), 0.0
    rows = rows_of(instance, owner[None, :])
    end_s = uplink_phase_s(rows, instance, costs)[0]
    if np.isfinite(end_s):
        slack = np.maximum(end_s - costs.client_forward_s, ROUGHLY * end_s)
        log_level, _ = rows.filling.log_level(problem.uplink_nats / slack)
        level = rows.filling.best_noise * np.exp(log_level)
    else:  # the allocation leaves a client out: any positive prices do to start from
        slack, level = np.ones(instance.n_clients), 10 * problem.noise.min(axis=1)
    power = 1.0 / float((level * problem.uplink_nats / slack**2).sum())
    return level * power, power / (1 + OWN_SHARE)


def _downlink_prices(problem: CutProblem, owner: IntArray) -> FloatArray:
    C = len(problem.max_power_w)
    bits = problem.downlink_bits
    if bits == 0:
        return np.zeros(C)
    rate = np.bincount(owner, problem.downlink_bps[owner, np.arange(len(owner))], minlength=C)
    rate = np.where(rate > 0, rate, problem.downlink_bps.max(axis=1))
    return bits / rate**2 / C


def transferred_prices(prices: Prices, source: CutProblem, target: CutProblem) -> Prices:
    """Scale prices of one cut layer to another: exact where traffic dwarfs computing.

    If every phase stretches with its traffic at the same rates, uplink and power prices stretch with the uplink traffic
    and downlink prices with the downlink traffic.
    """
    uplink = target.uplink_nats / source.uplink_nats if source.uplink_nats > 0 else 0.0
    downlink = target.downlink_bits / source.downlink_bits if source.downlink_bits > 0 else 0.0
    with np.errstate(over="ignore"):
        power, total_power, count = (part * uplink for part in (prices.power, prices.total_power, prices.count))
        scaled = Prices(prices.uplink * uplink, prices.downlink * downlink, power, total_power, count)
    return scaled.in_range()
