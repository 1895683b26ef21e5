"""The oracle for tiny instances: every allocation at every cut layer, with exact power control."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from pydantic import Field

from epsl_opt.arrays import IntArray
from epsl_opt.instance import Instance
from epsl_opt.monitor import SolveMonitor
from epsl_opt.results import StopReason
from epsl_opt.solver import Solver, SolverKind, SolverOptions
from epsl_opt.solvers.cuts import feasible_cuts
from epsl_opt.solvers.evaluation import allocation_latencies_s
from epsl_opt.solvers.offering import offer_allocation

BATCH = 4096
ROUNDING = 1e-11


class BruteForceOptions(SolverOptions):
    """Options of `brute-force`."""

    max_allocations: int = Field(
        default=1_000_000, ge=1, description="refuse instances with more allocations (clients ** subchannels) than this"
    )


class BruteForce(Solver[BruteForceOptions]):
    """Enumerate all C**M allocations; leaving a subchannel free never helps, so none is left free."""

    name = "brute-force"
    summary = "enumerates every allocation and cut layer of a tiny instance: the oracle"
    kind = SolverKind.EXACT
    options_type = BruteForceOptions

    def unsupported(self, instance: Instance, options: BruteForceOptions) -> str | None:
        """Refuse instances with too many allocations."""
        exponent = instance.n_subchannels * math.log10(instance.n_clients)
        if exponent <= math.log10(options.max_allocations):
            return None
        return (
            f"{instance.n_clients} clients on {instance.n_subchannels} subchannels have 1e{exponent:.0f} allocations; "
            f"the limit is max_allocations={options.max_allocations}"
        )

    def solve(self, instance: Instance, options: BruteForceOptions, monitor: SolveMonitor) -> StopReason:
        """Evaluate everything; the least latency found is the optimum up to rounding."""
        for cut, costs in feasible_cuts(instance).items():
            for owners in allocations(instance.n_clients, instance.n_subchannels):
                if monitor.out_of_time:
                    return StopReason.TIME_LIMIT
                latency = allocation_latencies_s(instance, costs, owners)
                best = int(latency.argmin())
                if latency[best] < monitor.latency_s:
                    offer_allocation(monitor, costs, cut, owners[best])
        if monitor.incumbent is None:
            monitor.message = "no allocation gives every client the rates it needs"
            return StopReason.INFEASIBLE_PROVED
        monitor.prove(monitor.latency_s * (1 - ROUNDING))
        return StopReason.OPTIMAL_PROVED


def allocations(n_clients: int, n_subchannels: int) -> Iterator[IntArray]:
    """Yield all ways to give every subchannel to a client, in batches of shape (up to BATCH, subchannels)."""
    weight = n_clients ** np.arange(n_subchannels)
    total = n_clients**n_subchannels
    for start in range(0, total, BATCH):
        yield np.arange(start, min(start + BATCH, total))[:, None] // weight % n_clients
