"""Water-filling for many clients at once: least power for a rate, and largest rate for a power, in closed form.

A client with noise densities n_1 <= n_2 <= ... (W/Hz, as its transmitter sees them) and bandwidths B_k spends least by
filling each subchannel up to one water level w: p_k = B_k max(w - n_k, 0), which carries B_k ln(w / n_k) nat/s where
w > n_k. Everything is measured against n_1, in the logarithmic level x = ln(w / n_1), so that no digits are lost at
low SNR: with d_k = n_k / n_1 - 1, y_k = ln(1 + d_k) and sums over the active subchannels,

    rate = x sum(B) - sum(B y)          power = n_1 [ (e^x - 1) sum(B) - sum(B d) ].

Subchannel k becomes active when the rate exceeds its breakpoint, so that the active set is found by counting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class WaterFilling:
    """Prefix sums of rows of subchannels, one row a client; shapes (rows, width), `best_noise` (rows,)."""

    best_noise: FloatArray
    excess: FloatArray
    sum_bandwidth: FloatArray
    sum_log: FloatArray
    sum_excess: FloatArray
    rate_breakpoint: FloatArray

    @classmethod
    def of_rows(cls, noise_w_per_hz: FloatArray, bandwidth_hz: FloatArray) -> WaterFilling:
        """Prepare rows of subchannels.

        Parameters
        ----------
        noise_w_per_hz
            sigma^2 / G of the row's subchannels, ascending in each row, shape (rows, width); inf marks entries that
            are not there (padding, or a gain of zero).
        bandwidth_hz
            B of the same subchannels.
        """
        best = noise_w_per_hz[:, 0]
        there = np.isfinite(noise_w_per_hz)
        with np.errstate(invalid="ignore"):
            excess = np.where(there, (noise_w_per_hz - best[:, None]) / best[:, None], 0.0)
        logarithm = np.log1p(excess)
        bandwidth = np.where(there, bandwidth_hz, 0.0)
        sum_bandwidth = bandwidth.cumsum(axis=1)
        sum_log = (bandwidth * logarithm).cumsum(axis=1)
        breakpoint = np.where(there, logarithm * sum_bandwidth - sum_log, np.inf)
        return cls(best, excess, sum_bandwidth, sum_log, (bandwidth * excess).cumsum(axis=1), breakpoint)

    def log_level(self, rate_nats_per_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return x = ln(w / n_1) and the least power in watts at which each row carries its rate, shapes (rows,).

        A row without subchannels needs infinite power for a positive rate.
        """
        last = (self.rate_breakpoint[:, 1:] < rate_nats_per_s[:, None]).sum(axis=1)
        row = np.arange(len(last))
        bandwidth = self.sum_bandwidth[row, last]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            level = (rate_nats_per_s + self.sum_log[row, last]) / bandwidth
            power = self.best_noise * (bandwidth * np.expm1(level) - self.sum_excess[row, last])
        return level, power

    def max_rate(self, power_w: FloatArray) -> FloatArray:
        """Return the largest rate in nat/s each row carries with its power, shape (rows,); 0 without subchannels."""
        with np.errstate(invalid="ignore"):
            power_breakpoint = np.where(
                np.isfinite(self.rate_breakpoint), self.excess * self.sum_bandwidth - self.sum_excess, np.inf
            )
            budget = power_w / self.best_noise
        last = (power_breakpoint[:, 1:] < budget[:, None]).sum(axis=1)
        row = np.arange(len(last))
        bandwidth = self.sum_bandwidth[row, last]
        with np.errstate(divide="ignore", invalid="ignore"):
            level = np.log1p((budget + self.sum_excess[row, last]) / bandwidth)
        return np.where(bandwidth > 0, level * bandwidth - self.sum_log[row, last], 0.0)


def max_rate_bps(noise_w_per_hz: FloatArray, bandwidth_hz: FloatArray, power_w: FloatArray) -> FloatArray:
    """Return each client's rate when it has all subchannels to itself and spreads its power as well as can be.

    Parameters
    ----------
    noise_w_per_hz
        sigma^2 / G as each client's transmitter sees it, inf where the gain is zero, shape (clients, subchannels).
    bandwidth_hz
        B_k, shape (subchannels,).
    power_w
        Total power of each client, shape (clients,).

    Returns
    -------
    FloatArray
        Rates in bit/s, shape (clients,); 0 for a client without usable subchannels.
    """
    order = np.argsort(noise_w_per_hz, axis=1)
    rows = WaterFilling.of_rows(np.take_along_axis(noise_w_per_hz, order, axis=1), bandwidth_hz[order])
    return rows.max_rate(power_w) / math.log(2)
