"""The sums over active subchannels from which water levels follow, and their change when a subchannel comes or goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.local_search.problem import SearchProblem

NONE = -1
"""In place of a subchannel: there is none."""

DUST = 1e-9
"""Bandwidth left after a subtraction, relative to that before, that is rounding and stands for none."""


@dataclass(frozen=True, eq=False)
class Band:
    """One subchannel each for K clients, as they see it; no bandwidth where there is none; all of shape (K,)."""

    bandwidth_hz: FloatArray
    noise: FloatArray
    log_noise: FloatArray
    downlink_bps: FloatArray

    @classmethod
    def of(cls, problem: SearchProblem, client: IntArray, k: IntArray) -> Band:
        """Collect subchannels `k` (or NONE) of clients."""
        there = k != NONE
        return cls(
            np.where(there, problem.bandwidth_hz[k], 0.0),
            problem.noise[client, k],
            problem.log_noise[client, k],
            np.where(there, problem.downlink_bps[client, k], 0.0),
        )


@dataclass(frozen=True, eq=False)
class Filled:
    """Sums over the active subchannels of clients: bandwidth, bandwidth * ln noise, bandwidth * noise; equal shapes."""

    bandwidth: FloatArray
    log_noise: FloatArray
    noise: FloatArray

    def __getitem__(self, index: IntArray | tuple[IntArray, ...]) -> Filled:
        return Filled(self.bandwidth[index], self.log_noise[index], self.noise[index])

    def log_level(self, rate: FloatArray) -> FloatArray:
        """Logarithm of the water level at which the active subchannels carry `rate` nat/s."""
        return (rate + self.log_noise) / self.bandwidth

    def level(self, power_w: FloatArray) -> FloatArray:
        """Water level in W/Hz up to which `power_w` fills the active subchannels."""
        return (power_w + self.noise) / self.bandwidth

    def best_rate(self, power_w: FloatArray) -> FloatArray:
        """Rate in nat/s of the active subchannels, filled with `power_w`."""
        rate: FloatArray = self.bandwidth * np.log(self.level(power_w)) - self.log_noise
        return rate

    def exchanged_at_rate(self, leaving: Band, coming: Band, spare: Filled, rate: FloatArray) -> Filled:
        """Sums without `leaving` and with `coming`, so far as they lie below the level of `rate`.

        Where nothing is left, `spare`, the best idle subchannel of the client, takes over.
        """
        rest = self._without(leaving, leaving.log_noise < self.log_level(rate), spare)
        return rest._with(coming, coming.log_noise < rest.log_level(rate))

    def exchanged_at_power(self, leaving: Band, coming: Band, spare: Filled, power_w: FloatArray) -> Filled:
        """Sums without `leaving` and with `coming`, as above, so far as they lie below the level of `power_w`."""
        rest = self._without(leaving, leaving.noise < self.level(power_w), spare)
        return rest._with(coming, coming.noise < rest.level(power_w))

    def _with(self, band: Band, active: BoolArray, sign: float = 1.0) -> Filled:
        width = np.where(active, sign * band.bandwidth_hz, 0.0)
        return Filled(self.bandwidth + width, self.log_noise + width * band.log_noise, self.noise + width * band.noise)

    def _without(self, band: Band, active: BoolArray, spare: Filled) -> Filled:
        rest = self._with(band, active, -1.0)
        some = rest.bandwidth > DUST * self.bandwidth
        return Filled(
            np.where(some, rest.bandwidth, spare.bandwidth),
            np.where(some, rest.log_noise, spare.log_noise),
            np.where(some, rest.noise, spare.noise),
        )
