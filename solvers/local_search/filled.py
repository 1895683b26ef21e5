"""The sums over active subchannels from which water levels follow, and their change when a subchannel comes or goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.local_search.problem import SILENT_W_PER_HZ, SearchProblem

NONE = -1
"""In place of a subchannel: there is none."""

DUST = 1e-9
"""Bandwidth left after a subtraction, relative to that before, that is rounding and stands for none."""

Index = IntArray | tuple[IntArray, ...]


@dataclass(frozen=True, eq=False)
class Band:
    """One subchannel for each of many clients, as they see it, in arrays of one shape; no bandwidth: there is none."""

    bandwidth_hz: FloatArray
    noise: FloatArray

    @classmethod
    def of(cls, problem: SearchProblem, client: IntArray, k: IntArray) -> Band:
        """Collect subchannels `k` (or NONE) of clients."""
        there = k != NONE
        return cls(
            np.where(there, problem.bandwidth_hz[k], 0.0), np.where(there, problem.noise[client, k], SILENT_W_PER_HZ)
        )

    def __getitem__(self, index: Index) -> Band:
        return Band(self.bandwidth_hz[index], self.noise[index])

    def where(self, condition: BoolArray, other: Band) -> Band:
        """Return this where the condition holds, `other` elsewhere."""
        return Band(
            np.where(condition, self.bandwidth_hz, other.bandwidth_hz), np.where(condition, self.noise, other.noise)
        )


@dataclass(frozen=True, eq=False)
class Filled:
    """Sums over the active subchannels of clients: bandwidth, bandwidth * ln noise, bandwidth * noise; equal shapes."""

    bandwidth: FloatArray
    log_noise: FloatArray
    noise: FloatArray

    def __getitem__(self, index: Index) -> Filled:
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

    def exchanged_at_rate(self, leaving: Band, coming: Band, spare: Band, rate: FloatArray) -> Filled:
        """Sums without `leaving` and with `coming`, so far as they lie below the level of `rate`.

        Where nothing else is left, `spare`, the best idle subchannel of the client, is considered too.
        """
        rest = self._with(leaving, leaving.noise < np.exp(self.log_level(rate)), -1.0)
        rest, band = rest._or_best_of(coming, spare, self)
        return rest._with(band, band.noise < np.exp(rest.log_level(rate)))

    def exchanged_at_power(self, leaving: Band, coming: Band, spare: Band, power_w: FloatArray) -> Filled:
        """Sums without `leaving` and with `coming`, as above, so far as they lie below the level of `power_w`."""
        rest = self._with(leaving, leaving.noise < self.level(power_w), -1.0)
        rest, band = rest._or_best_of(coming, spare, self)
        return rest._with(band, band.noise < rest.level(power_w))

    def _with(self, band: Band, active: BoolArray, sign: float = 1.0) -> Filled:
        width = np.where(active, sign * band.bandwidth_hz, 0.0)
        return Filled(
            self.bandwidth + width, self.log_noise + width * np.log(band.noise), self.noise + width * band.noise
        )

    def _or_best_of(self, coming: Band, spare: Band, before: Filled) -> tuple[Filled, Band]:
        """Where nothing is left of `before`: the better of two subchannels, and the other; elsewhere self, `coming`."""
        empty = self.bandwidth <= DUST * before.bandwidth
        spare_first = spare.noise < coming.noise
        first, second = spare.where(spare_first, coming), coming.where(spare_first, spare)
        width = first.bandwidth_hz
        rest = Filled(
            np.where(empty, width, self.bandwidth),
            np.where(empty, width * np.log(first.noise), self.log_noise),
            np.where(empty, width * first.noise, self.noise),
        )
        return rest, second.where(empty, coming)
