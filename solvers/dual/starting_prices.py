"""Prices to start the dual from: the water levels of an allocation, as if P_th alone were scarce."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices
from epsl_opt.solvers.primal.power_control import rows_of, sending_times_s

OWN_SHARE = 0.1
SPLIT = 8
"""How sharply a client's price goes to the phase that needs the higher rate."""

ROUGHLY = 1e-15
"""A phase so short beside computing has lost its digits; any slack of that order does to start from."""


def starting_prices(instance: Instance, problem: CutProblem, owner: IntArray) -> Prices:
    """Return prices near the optimum's from an allocation that leaves nothing free, shape (subchannels,).

    At the optimum a client's uplink price is its water level times its power price, and the prices weigh the clients'
    phases with total weight one. `OWN_SHARE` of the power price goes to each P_i, the rest to P_th.
    """
    uplink, exchange, power = _rate_prices(instance, problem, owner)
    own = np.full(len(uplink), OWN_SHARE * power)
    rows = (uplink, _downlink_prices(problem, owner), own, np.array(power), exchange, np.zeros(len(uplink)))
    return Prices(*(row[None] for row in rows)).in_range()


def _rate_prices(instance: Instance, problem: CutProblem, owner: IntArray) -> tuple[FloatArray, FloatArray, float]:
    """Prices of uplink rate, for the uplink phase and for the exchange, and of power."""
    costs: CutCosts = problem.costs
    nothing = np.zeros(instance.n_clients)
    if not problem.sends:
        return nothing, nothing, 0.0
    rows = rows_of(instance, owner[None, :])
    slack_s, exchange_s = (float(part[0]) for part in sending_times_s(rows, instance, costs))
    end_s = float(costs.client_forward_s.max()) + slack_s
    if np.isfinite(end_s + exchange_s):
        slack = np.maximum(end_s - costs.client_forward_s, ROUGHLY * end_s)
        first = problem.uplink_nats / slack
        second = problem.exchange_nats / exchange_s if problem.exchange_nats > 0 else 0.0
        log_level, _ = rows.filling.log_level(np.maximum(first, second))
        level = rows.filling.best_noise * np.exp(log_level)
    else:  # the allocation leaves a client out: any positive prices do to start from
        slack, exchange_s, level = np.ones(instance.n_clients), 1.0, 10 * problem.noise.min(axis=1)
        first, second = problem.uplink_nats / slack, problem.exchange_nats
    if problem.exchange_nats == 0:
        power = 1.0 / float((level * problem.uplink_nats / slack**2).sum())
        return level * power, nothing, power / (1 + OWN_SHARE)
    share = 1 / (1 + (second / first) ** SPLIT) if problem.uplink_nats > 0 else nothing
    gain = share * (first / slack) + (1 - share) * (second / exchange_s)
    power = (1.0 + (problem.uplink_nats > 0)) / float((level * gain).sum())
    return share * level * power, (1 - share) * level * power, power / (1 + OWN_SHARE)


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

    If every phase stretches with its traffic at the same rates, so do the prices for it, and those of power with all
    that is sent.
    """
    uplink = _ratio(source.uplink_nats, target.uplink_nats)
    downlink = _ratio(source.downlink_bits, target.downlink_bits)
    exchange = _ratio(source.exchange_nats, target.exchange_nats)
    with np.errstate(over="ignore"):
        sent: float | FloatArray = uplink
        if source.exchange_nats > 0:
            total = np.maximum(prices.rate.sum(axis=1), np.finfo(float).tiny)
            sent = ((prices.uplink * uplink + prices.exchange * exchange).sum(axis=1) / total)[:, None]
        power, count = prices.power * sent, prices.count * sent
        total_power = (prices.total_power[:, None] * sent)[:, 0]
        scaled = Prices(
            prices.uplink * uplink, prices.downlink * downlink, power, total_power, prices.exchange * exchange, count
        )
    return scaled.in_range()


def _ratio(source: float, target: float) -> float:
    return target / source if source > 0 else 0.0
