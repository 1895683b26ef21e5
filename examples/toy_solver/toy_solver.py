"""A solver in one class: random allocations at equal power, the best of a few kept."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from epsl_opt import Instance, Options, Schedule, SolveMonitor, Solver, SolverKind, StopReason, check


class RandomValidOptions(Options):
    """Options of `random-valid`."""

    draws: int = Field(default=200, ge=1, description="allocations to draw")


class RandomValid(Solver[RandomValidOptions]):
    """Draw allocations at random; every client gets a subchannel first."""

    name = "random-valid"
    summary = "random allocations at equal power, the best of a few (an example)"
    kind = SolverKind.HEURISTIC
    options_type = RandomValidOptions

    def solve(self, instance: Instance, options: RandomValidOptions, monitor: SolveMonitor) -> StopReason:
        """Offer what is feasible; the monitor keeps the best."""
        rng = np.random.default_rng(monitor.limits.seed)
        for _ in range(options.draws):
            if monitor.out_of_time:
                return StopReason.TIME_LIMIT
            schedule = draw_schedule(instance, rng)
            if not check(instance, schedule):
                monitor.offer(schedule)
        return StopReason.COMPLETED


def draw_schedule(instance: Instance, rng: np.random.Generator) -> Schedule:
    """Draw a cut layer and an allocation; powers are equal, as large as the tightest limit allows."""
    C, M = instance.n_clients, instance.n_subchannels
    owner = rng.permutation(np.append(np.arange(C), rng.integers(C, size=M - C)))
    held = np.bincount(owner, minlength=C)
    power_w = min(np.min(instance.max_power_w / held), instance.server.total_uplink_power_w / M)
    return Schedule(int(rng.integers(instance.n_cut_layers)), owner, np.full(M, power_w))
