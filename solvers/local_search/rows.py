"""Water-filling for the clients of many allocations at once, without sorting.

The water level is a root of a convex piecewise linear function of its logarithm (for a rate) or of itself (for a
power); Newton's method from above keeps dropping subchannels until all that are left lie below the level.
"""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.local_search.filled import Band, Filled
from epsl_opt.solvers.local_search.problem import SILENT_W_PER_HZ, SearchProblem


class Rows:
    """The subchannels of N allocations, summed by allocation and client.

    Parameters
    ----------
    owner
        Client index of each subchannel, none of them free, shape (N, subchannels).
    """

    def __init__(self, problem: SearchProblem, owner: IntArray) -> None:
        N, M = owner.shape
        subchannel = np.arange(M)
        self.owner = owner
        self._shape = (N, problem.n_clients)
        self._row = owner + problem.n_clients * np.arange(N)[:, None]
        self._noise = problem.noise[owner, subchannel]
        self._log_noise = problem.log_noise[owner, subchannel]
        self._bandwidth = np.broadcast_to(problem.bandwidth_hz, (N, M))
        self._everything = np.ones((N, M), dtype=bool)
        self._all = self._sums(self._everything)
        self.downlink_bps = self._total(problem.downlink_bps[owner, subchannel])

    def for_rate(self, rate: FloatArray) -> tuple[FloatArray, Filled, FloatArray]:
        """Water level in W/Hz, sums over active subchannels, and least power in watts of each client at its rate."""
        filled, active = self._all, self._everything
        while True:
            log_level = filled.log_level(rate)
            height = self._at_subchannels(log_level) - self._log_noise
            below = active & (height > 0)
            if (below == active).all():
                break
            filled, active = self._sums(below), below
        power = self._total(np.where(active, self._bandwidth * self._noise * np.expm1(height), 0.0))
        return np.exp(log_level), filled, power

    def for_power(self, power_w: FloatArray) -> tuple[FloatArray, Filled, FloatArray]:
        """Water level in W/Hz, sums over active subchannels, and largest rate in nat/s of each client at its power."""
        filled, active = self._all, self._everything
        while True:
            level = filled.level(power_w)
            ratio = self._at_subchannels(level) / self._noise
            below = active & (ratio > 1)
            if (below == active).all():
                break
            filled, active = self._sums(below), below
        return level, filled, self._total(np.where(active, self._bandwidth * np.log(ratio), 0.0))

    def spare(self, level: FloatArray) -> Band:
        """Return the best subchannel of each client that is not below its water level."""
        N, C = self._shape
        idle = ~(self._noise < self._at_subchannels(level))
        row, noise = self._row[idle], self._noise[idle]
        least, width = np.full(N * C, SILENT_W_PER_HZ), np.zeros(N * C)
        np.minimum.at(least, row, noise)
        first = noise == least[row]
        width[row[first]] = self._bandwidth[idle][first]
        return Band(width.reshape(N, C), least.reshape(N, C))

    def _total(self, values: FloatArray) -> FloatArray:
        """Sum values (N, M) by client, shape (N, C)."""
        N, C = self._shape
        sums = np.bincount(self._row.ravel(), weights=values.ravel(), minlength=N * C)
        return sums.astype(np.float64, copy=False).reshape(N, C)

    def _at_subchannels(self, values: FloatArray) -> FloatArray:
        """Give every subchannel the value of the client that holds it: (N, C) to (N, M)."""
        found: FloatArray = values.ravel()[self._row]
        return found

    def _sums(self, active: BoolArray) -> Filled:
        width = np.where(active, self._bandwidth, 0.0)
        return Filled(self._total(width), self._total(width * self._log_noise), self._total(width * self._noise))
