"""The problem as a convex MINLP in PySCIPOpt: one cut layer, or all of them with a binary variable each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from pyscipopt import Expr, Model, Variable, log, quicksum

from benchmarks.minlp_data import MinlpData, Phase
from epsl_opt.core.arrays import FloatArray

BELOW = 0.999
"""Least time to transmit, relative to what all subchannels together would need: keeps 1 / time bounded."""


class ScipModel:
    """min T1 + T2 (+ T3) + shared over r in {0,1}, powers q, rates u <= B log(1 + snr q), and the cut layer.

    As r is binary and q <= r, no perspective is needed for exactness. One cut layer: R >= traffic / (T - ready). Many:
    sum_j y_j sqrt(traffic_j) <= sqrt(R (T - sum_j y_j ready_j)), a rotated cone, as exactly one y_j is 1. T3 is there
    where models are exchanged.
    """

    def __init__(self, data: MinlpData) -> None:
        self.data = data
        self.model = Model()
        self.model.hideOutput()
        self._add_cut()
        self._add_allocation()
        self._add_power()
        rate, best = self._uplink_rate, data.full_rate.sum(axis=1)
        end_s = [self._add_phase(data.uplink, rate, best)]
        if data.exchanges:
            end_s.append(self._add_phase(data.exchange, rate, best))
        rate, best = self._downlink_rate, data.downlink_rate.sum(axis=1)
        end_s.append(self._add_phase(data.downlink, rate, best))
        shared_s = quicksum(seconds * self.cut[j] for j, seconds in data.shared_s.items())
        self.model.setObjective(quicksum(end_s) + shared_s)

    def allocation(self) -> tuple[int, FloatArray]:
        """Return cut layer and r, shape (clients, subchannels), of the best solution."""
        solution = self.model.getBestSol()
        fraction = np.array([[solution[r] for r in row] for row in self.r])
        if len(self.cut) == 1:
            return next(iter(self.cut)), fraction
        return max(self.cut, key=lambda j: solution[self.cut[j]]), fraction

    def _add_cut(self) -> None:
        """sum_j y_j = 1; the constant 1 where there is but one cut layer."""
        cuts = list(self.data.shared_s)
        self.cut: dict[int, Variable | float] = {cuts[0]: 1.0}
        if len(cuts) > 1:
            self.cut = {j: self.model.addVar(f"y_{j}", vtype="B") for j in cuts}
            self.model.addCons(quicksum(self.cut.values()) == 1)

    def _add_allocation(self) -> None:
        """sum_i r_ik <= 1."""
        clients, subchannels = self.data.snr.shape
        self.r = [[self.model.addVar(f"r_{i}_{k}", vtype="B") for k in range(subchannels)] for i in range(clients)]
        for k in range(subchannels):
            self.model.addCons(quicksum(row[k] for row in self.r) <= 1)

    def _add_power(self) -> None:
        """q_ik <= r_ik, sum_k q_ik <= 1, the total, and u_ik <= B_k log(1 + snr_ik q_ik), u_ik <= its most * r_ik."""
        model, data, spent = self.model, self.data, []
        self._u: list[list[Variable]] = []
        for i, row in enumerate(self.r):
            q = [model.addVar(f"q_{i}_{k}", lb=0, ub=1) for k in range(len(row))]
            u = [model.addVar(f"u_{i}_{k}", lb=0, ub=float(most)) for k, most in enumerate(data.full_rate[i])]
            for k, r in enumerate(row):
                model.addCons(q[k] <= r)
                model.addCons(u[k] <= float(data.full_rate[i, k]) * r)
                model.addCons(u[k] <= float(data.bandwidth[k]) * log(1 + float(data.snr[i, k]) * q[k]))
            model.addCons(quicksum(q) <= 1)
            spent.append(float(data.power_share[i]) * quicksum(q))
            self._u.append(u)
        model.addCons(quicksum(spent) <= 1)

    def _uplink_rate(self, i: int) -> Expr:
        return quicksum(self._u[i])

    def _downlink_rate(self, i: int) -> Expr:
        return quicksum(float(rate) * r for rate, r in zip(self.data.downlink_rate[i], self.r[i], strict=True))

    def _add_phase(self, phases: Mapping[int, Phase], rate: Callable[[int], Expr], best: FloatArray) -> Variable:
        """Add the end T of a phase by which every client has moved its traffic; `best` is its rate on everything."""
        end_s = self.model.addVar(lb=0)
        for i in range(len(self.r)):
            ready_s = quicksum(float(phase.ready_s[i]) * self.cut[j] for j, phase in phases.items())
            self.model.addCons(end_s >= ready_s)
            if any(phase.traffic > 0 for phase in phases.values()):
                given = self.model.addVar(lb=0, ub=float(best[i]))
                self.model.addCons(given <= rate(i))
                self._add_traffic(phases, given, end_s, ready_s, float(best[i]))
        return end_s

    def _add_traffic(
        self, phases: Mapping[int, Phase], rate: Variable, end_s: Variable, ready_s: Expr, best: float
    ) -> None:
        model, slack = self.model, self.model.addVar(lb=0)
        model.addCons(slack == end_s - ready_s)
        if len(phases) == 1:
            (phase,) = phases.values()
            model.chgVarLb(slack, BELOW * phase.traffic / best)
            model.addCons(rate >= phase.traffic / slack)
            return
        root = {j: math.sqrt(phase.traffic) for j, phase in phases.items()}
        needed = model.addVar(lb=0, ub=max(root.values()))
        model.addCons(needed == quicksum(root[j] * self.cut[j] for j in root))
        model.addCons(needed * needed <= rate * slack)
