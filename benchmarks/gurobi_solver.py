"""Gurobi on the convex MINLP, cut layer by cut layer; its licence for everybody takes small models only."""

from __future__ import annotations

import math
from collections.abc import Callable

import gurobipy as gp
import numpy as np
from gurobipy import GRB, nlfunc

from benchmarks.minlp_data import MinlpData, Phase, offer_rounded, promising_first
from epsl_opt import Instance, Options, SolveMonitor, Solver, SolverKind, StopReason
from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.primal.cuts import bound_without_radio_s, feasible_cuts

TRUST = 1e-6
"""Gurobi's bounds hold up to its tolerances; they are lowered by this part."""

BELOW = 0.999
"""Least time to transmit, relative to what all subchannels together would need: keeps 1 / time bounded."""


class Gurobi(Solver[Options]):
    """Gurobi's global MINLP search on one cut layer after the other, on one thread."""

    name = "gurobi"
    summary = "Gurobi on the convex MINLP, within its size-limited licence"
    kind = SolverKind.EXACT

    def solve(self, instance: Instance, options: Options, monitor: SolveMonitor) -> StopReason:
        """Solve to the gap asked for, or until the time limit; unsupported where the licence is too small."""
        cuts = feasible_cuts(instance)
        bound_s = {j: bound_without_radio_s(costs) for j, costs in cuts.items()}
        for j in promising_first(instance, cuts):
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            try:
                bound_s[j] = max(bound_s[j], _solve_cut(instance, cuts, j, monitor))
            except gp.GurobiError as error:
                if error.errno != GRB.Error.SIZE_LIMIT_EXCEEDED:
                    raise
                monitor.message = "too large for the licence that comes with gurobipy"
                return StopReason.UNSUPPORTED
            monitor.prove(min(bound_s.values()))
        return StopReason.GAP_REACHED if monitor.gap_reached else StopReason.TIME_LIMIT


def _solve_cut(instance: Instance, cuts: dict[int, CutCosts], cut: int, monitor: SolveMonitor) -> float:
    """Solve one cut layer, offer what it finds, and return its bound; at least the cutoff if it cannot win."""
    with gp.Env(params={"OutputFlag": 0}) as env, gp.Model(env=env) as model:
        r = build(model, MinlpData.of(instance, {cut: cuts[cut]}))
        cutoff_s = monitor.latency_s * (1 - 0.5 * monitor.limits.rel_gap)
        model.Params.TimeLimit = max(monitor.remaining_s, 1e-3)
        model.Params.Threads = 1
        model.Params.MIPGap = 0.5 * monitor.limits.rel_gap
        if math.isfinite(cutoff_s):
            model.Params.Cutoff = cutoff_s
        model.optimize()
        if model.SolCount > 0:
            offer_rounded(monitor, cuts, cut, np.array([[entry.X for entry in row] for row in r]))
        if model.Status in (GRB.CUTOFF, GRB.INFEASIBLE):
            return cutoff_s * (1 - TRUST)
        return float(model.ObjBound) * (1 - TRUST)


def build(model: gp.Model, data: MinlpData) -> list[list[gp.Var]]:
    """Fill `model` with one cut layer as in `scip_model`; return the allocation variables r."""
    clients, subchannels = data.snr.shape
    ((shared_s, uplink, downlink),) = [(data.shared_s[j], data.uplink[j], data.downlink[j]) for j in data.shared_s]
    r = [[model.addVar(vtype=GRB.BINARY) for _ in range(subchannels)] for _ in range(clients)]
    for k in range(subchannels):
        model.addConstr(gp.quicksum(row[k] for row in r) <= 1)
    rate = _uplink_rates(model, data, r)
    best = data.full_rate.sum(axis=1)
    sent = _add_phase(model, uplink, rate.__getitem__, best)
    if data.exchanges:
        (exchange,) = data.exchange.values()
        sent += _add_phase(model, exchange, rate.__getitem__, best)
    given = data.downlink_rate

    def downlink_rate(i: int) -> gp.LinExpr:
        return gp.quicksum(float(rate) * entry for rate, entry in zip(given[i], r[i], strict=True))

    downlink_end = _add_phase(model, downlink, downlink_rate, given.sum(axis=1))
    model.setObjective(sent + downlink_end + shared_s)
    return r


def _uplink_rates(model: gp.Model, data: MinlpData, r: list[list[gp.Var]]) -> list[gp.LinExpr]:
    """q_ik <= r_ik, sum_k q_ik <= 1, the total, and the rate sum_k B_k log(1 + snr_ik q_ik) of every client."""
    rates, spent = [], gp.LinExpr()
    for i, row in enumerate(r):
        q = [model.addVar(lb=0, ub=1) for _ in row]
        u = [model.addVar(lb=0, ub=float(most)) for most in data.full_rate[i]]
        for k, entry in enumerate(row):
            model.addConstr(q[k] <= entry)
            model.addConstr(u[k] <= float(data.full_rate[i, k]) * entry)
            model.addGenConstrNL(u[k], float(data.bandwidth[k]) * nlfunc.log(1 + float(data.snr[i, k]) * q[k]))
        model.addConstr(gp.quicksum(q) <= 1)
        spent += float(data.power_share[i]) * gp.quicksum(q)
        rates.append(gp.quicksum(u))
    model.addConstr(spent <= 1)
    return rates


def _add_phase(model: gp.Model, phase: Phase, rate: Callable[[int], gp.LinExpr], best: FloatArray) -> gp.Var:
    """Add the end T of a phase by which every client has moved its traffic: R >= traffic / (T - ready)."""
    end_s = model.addVar(lb=float(phase.ready_s.max()))
    if phase.traffic > 0:
        for i, ready_s in enumerate(phase.ready_s):
            slack = model.addVar(lb=BELOW * phase.traffic / float(best[i]))
            needed = model.addVar(lb=0, ub=float(best[i]))
            model.addConstr(slack == end_s - float(ready_s))
            model.addConstr(needed <= rate(i))
            model.addGenConstrNL(needed, phase.traffic / slack)
    return end_s
