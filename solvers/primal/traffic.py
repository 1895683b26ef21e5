"""What clients send in one phase, and when it ends on the power there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.water_filling import WaterFilling

NEWTON_STEPS = 100
ROOT_TOLERANCE = 4e-15
LARGEST_LOG = 700.0

SHORTEST_S = 1e-300
"""No phase is shorter: less cannot be told from nothing."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """What each client has to send, and the head start it has, shape (clients,) or (allocations, clients)."""

    nats: float
    head_start_s: FloatArray

    def rate(self, slack_s: FloatArray | float) -> FloatArray:
        """The rate in nat/s that ends the phase so, shape of `slack_s` and (clients,); none where nothing is sent."""
        left = np.asarray(slack_s)[..., None] + self.head_start_s
        return self.nats / left if self.nats > 0 else np.zeros_like(left)

    def own_slack_s(self, rate: FloatArray) -> FloatArray:
        """When each client is done at its rate in nat/s, after all are ready, shapes (allocations, clients)."""
        with np.errstate(divide="ignore", over="ignore"):  # no rate, or next to none: never
            own: FloatArray = self.nats / rate - self.head_start_s
        return own

    def slack_s(self, rate: FloatArray) -> FloatArray:
        """When the last client is done at these rates, shape (allocations,), in seconds after all are ready."""
        slack: FloatArray = np.maximum(self.own_slack_s(rate).max(axis=1), SHORTEST_S)
        return slack

    def take(self, index: IntArray) -> Traffic:
        """Return the traffic of some of the allocations."""
        shared = self.head_start_s.ndim == 1
        return self if shared else Traffic(self.nats, self.head_start_s[index])

    def power_w(self, filling: WaterFilling, slack_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Total power in watts that ends each phase so, and -d ln(power) / d ln(slack), shapes (allocations,)."""
        left = slack_s[:, None] + self.head_start_s
        rate = self.nats / left
        level, power = (part.reshape(left.shape) for part in filling.log_level(rate.ravel()))
        total = power.sum(axis=1)
        marginal = filling.best_noise.reshape(left.shape) * np.exp(level)
        with np.errstate(divide="ignore", invalid="ignore"):  # powers too small for a number never need a step
            steepness = (marginal * rate * (slack_s[:, None] / left)).sum(axis=1) / total
        return total, steepness


def meet_total_power(
    filling: WaterFilling,
    total_w: float,
    traffic: Traffic,
    earliest_s: FloatArray,
    latest_s: FloatArray,
) -> FloatArray:
    """Delay each phase from its earliest end until the total power fits; Newton on logarithms, safeguarded.

    Parameters
    ----------
    filling
        A row for every allocation and client.
    earliest_s, latest_s
        Where the end lies, after all clients are ready, shape (allocations,).
    """
    C = traffic.head_start_s.shape[-1]
    slack, low, high = earliest_s.copy(), earliest_s.copy(), latest_s.copy()
    open_ = np.arange(len(slack))
    for _ in range(NEWTON_STEPS):
        here = slack[open_]
        part = filling.take((open_[:, None] * C + np.arange(C)).ravel())
        need, steepness = traffic.take(open_).power_w(part, here)
        excess = need / total_w - 1
        low[open_] = np.where(excess > 0, here, low[open_])
        high[open_] = np.where(excess <= 0, np.minimum(here, high[open_]), high[open_])
        missed = (excess > ROOT_TOLERANCE) | ((excess < -ROOT_TOLERANCE) & (here > earliest_s[open_]))
        missed &= high[open_] > low[open_] * (1 + ROOT_TOLERANCE)
        open_, here, excess, steepness = open_[missed], here[missed], excess[missed], steepness[missed]
        if open_.size == 0:
            break
        step = here * np.exp(np.minimum(np.log1p(excess) / steepness, LARGEST_LOG))
        inside = (step > low[open_]) & (step < high[open_])
        slack[open_] = np.where(inside, step, np.sqrt(low[open_]) * np.sqrt(high[open_]))
    return slack
