"""Water-filling for many clients at once: least power for a rate, and largest rate for a power, in closed form.

A client with noise densities n_1 <= n_2 <= ... (W/Hz, as its transmitter sees them) and bandwidths B_k spends least by
filling each subchannel up to one water level w: p_k = B_k max(w - n_k, 0), which carries B_k ln(w / n_k) nat/s where
w > n_k. When the level reaches n_k, rate and power have breakpoints, sums of what each step between neighbours adds;
with q subchannels active and S = B_1 + ... + B_q, above the breakpoints of q

    rate = rate_q + S ln(w / n_q)          power = power_q + S (w - n_q).

Nothing is subtracted but neighbouring noise densities, so that no digits are lost: neither at low SNR nor where
bandwidths and noises differ by many orders of magnitude.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class WaterFilling:
    """Rows of subchannels, one row a client, ascending in noise; all arrays have shape (rows, width).

    `noise` in W/Hz is inf for entries that are not there; `sum_bandwidth` in Hz counts the entry itself. At the
    breakpoints, in nat/s and W, the entry becomes active.
    """

    noise: FloatArray
    sum_bandwidth: FloatArray
    rate_breakpoint: FloatArray
    power_breakpoint: FloatArray

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
        there = np.isfinite(noise_w_per_hz)
        sum_bandwidth = np.where(there, bandwidth_hz, 0.0).cumsum(axis=1)
        rate, power = np.zeros_like(noise_w_per_hz), np.zeros_like(noise_w_per_hz)
        before, width = noise_w_per_hz[:, :-1], sum_bandwidth[:, :-1]
        with np.errstate(invalid="ignore", over="ignore"):  # beyond all numbers, or not there: never active
            step = noise_w_per_hz[:, 1:] - before
            rate[:, 1:] = (width * np.log1p(step / before)).cumsum(axis=1)
            power[:, 1:] = (width * step).cumsum(axis=1)
        never = ~(there & np.isfinite(rate) & np.isfinite(power))
        never[:, 0] = False
        return cls(noise_w_per_hz, sum_bandwidth, np.where(never, np.inf, rate), np.where(never, np.inf, power))

    @property
    def best_noise(self) -> FloatArray:
        """n_1 in W/Hz, shape (rows,)."""
        return self.noise[:, 0]

    def take(self, index: IntArray) -> WaterFilling:
        """Return some of the rows."""
        return WaterFilling(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def log_level(self, rate_nats_per_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return x = ln(w / n_1) and the least power in watts at which each row carries its rate, shapes (rows,).

        A row without subchannels needs infinite power for a positive rate, and so does one whose power is beyond all
        numbers.
        """
        last, height = self._above_last_active(rate_nats_per_s)
        with np.errstate(invalid="ignore", over="ignore"):
            level = np.log(self.noise[last] / self.best_noise) + height
            power = self.power_breakpoint[last] + self.sum_bandwidth[last] * (self.noise[last] * np.expm1(height))
        nothing = self.sum_bandwidth[last] == 0
        return np.where(nothing, np.inf, level), np.where(nothing, np.inf, power)

    def depths(self, rate_nats_per_s: FloatArray) -> FloatArray:
        """Return w - n_k in W/Hz at which each row carries its rate, 0 where it is not active, shape (rows, width)."""
        last, height = self._above_last_active(rate_nats_per_s)
        top = self.noise[last]
        active = np.arange(self.noise.shape[1]) <= last[1][:, None]
        below = np.subtract(top[:, None], self.noise, out=np.zeros_like(self.noise), where=active)
        with np.errstate(over="ignore"):
            return np.where(active, below + (top * np.expm1(height))[:, None], 0.0)

    def _above_last_active(self, rate_nats_per_s: FloatArray) -> tuple[tuple[IntArray, IntArray], FloatArray]:
        """Index of each row's last active entry n_q, and ln(w / n_q)."""
        last = (self.rate_breakpoint[:, 1:] < rate_nats_per_s[:, None]).sum(axis=1)
        index = np.arange(len(last)), last
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return index, (rate_nats_per_s - self.rate_breakpoint[index]) / self.sum_bandwidth[index]

    def max_rate(self, power_w: FloatArray) -> FloatArray:
        """Return the largest rate in nat/s each row carries with its power, shape (rows,); 0 without subchannels."""
        last = (self.power_breakpoint[:, 1:] < power_w[:, None]).sum(axis=1)
        index = np.arange(len(last)), last
        bandwidth = self.sum_bandwidth[index]
        with np.errstate(divide="ignore", invalid="ignore"):
            height = np.log1p((power_w - self.power_breakpoint[index]) / bandwidth / self.noise[index])
        return np.where(bandwidth > 0, self.rate_breakpoint[index] + bandwidth * height, 0.0)


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
