"""The round latency with its two maxima softened, so that a move that helps one of several stragglers counts.

max(x) becomes tau ln sum exp(x / tau), which tends to the maximum as the temperature tau falls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.states import States

Pair = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class SoftMaximum:
    """tau ln (sum exp(x / tau)) of the rows of x, shape (N, C), one temperature in seconds a row."""

    temperature_s: FloatArray
    peak: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, x: FloatArray, temperature_s: FloatArray) -> SoftMaximum:
        """Soften the maximum of each row."""
        peak = x.max(axis=1)
        with np.errstate(invalid="ignore"):
            return cls(temperature_s, peak, np.exp((x - peak[:, None]) / temperature_s[:, None]))

    @property
    def value(self) -> FloatArray:
        """The softened maxima, shape (N,)."""
        softened: FloatArray = self.peak + self.temperature_s * np.log(self.weight.sum(axis=1))
        return softened

    def replaced(self, n: IntArray, columns: tuple[IntArray, ...], values: tuple[FloatArray, ...]) -> FloatArray:
        """Softened maxima of rows `n` with the entries in `columns` replaced by `values`, shape (K,)."""
        total = self.weight.sum(axis=1)[n]
        for column in columns:
            total = total - self.weight[n, column]
        total = np.maximum(total, 0.0)
        for value in values:
            total = total + np.exp((value - self.peak[n]) / self.temperature_s[n])
        softened: FloatArray = self.peak[n] + self.temperature_s[n] * np.log(total)
        return softened


@dataclass(frozen=True, eq=False)
class Smoothed:
    """The smoothed latency of states; entry C of the uplink rows is the end on the total power."""

    uplink: SoftMaximum
    downlink: SoftMaximum
    value_s: FloatArray

    @classmethod
    def of(cls, problem: SearchProblem, states: States, temperature_s: FloatArray) -> Smoothed:
        """Smooth the latency of N states, one temperature each; inf where a state is infeasible."""
        uplink = SoftMaximum.of(np.column_stack([states.own_s, states.root_s]), temperature_s)
        downlink = SoftMaximum.of(states.back_s, temperature_s)
        value = uplink.value + problem.shared_s[states.cut] + downlink.value
        return cls(uplink, downlink, np.where(np.isfinite(states.latency_s), value, np.inf))

    def change_s(
        self, n: IntArray, clients: tuple[IntArray, IntArray], root_s: FloatArray, own_s: Pair, back_s: Pair
    ) -> FloatArray:
        """Change of the smoothed latency when the two clients' ends and the end on the total power become these."""
        total = np.full(len(n), self.uplink.weight.shape[1] - 1)
        uplink = self.uplink.replaced(n, (*clients, total), (*own_s, root_s))
        downlink = self.downlink.replaced(n, clients, back_s)
        return uplink - self.uplink.value[n] + downlink - self.downlink.value[n]
