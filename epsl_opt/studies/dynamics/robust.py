"""Schedules that are decided once for all rounds of a cell whose fading is fresh in each.

Decided are the allocation and the cut layer. A local search minimises the mean or the 90th percentile of the latency
over sampled rounds: it starts from the schedules that `exact` finds for the mean gains, for the gains that nine rounds
in ten exceed, and for one round, then hands single subchannels from client to client, and changes the cut layer when
that no longer helps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Row
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s
from epsl_opt.studies.dynamics.cells import CONTROLLED, EQUAL, cell, latency_s, mean_cell, solved, with_power

SAMPLED, FRESH = 100, 100
"""Rounds that are optimised over, and rounds on which everything is judged."""

QUANTILE = 0.9
POWERS = (CONTROLLED, EQUAL)

Objective = Callable[[FloatArray], FloatArray]
"""Latencies of shape (allocations, rounds) -> what is minimised, shape (allocations,)."""

OBJECTIVES: Mapping[str, Objective] = {
    "expected": lambda latency: latency.mean(axis=1),
    "p90": lambda latency: np.quantile(latency, QUANTILE, axis=1),
}


@dataclass(frozen=True, eq=False)
class Decision:
    """What is decided once: the cut layer, and the client of each subchannel, shape (subchannels,)."""

    cut: int
    owner: IntArray

    @classmethod
    def of(cls, schedule: Schedule) -> Decision:
        """Return a schedule without its powers."""
        return cls(schedule.cut_layer, schedule.subchannel_client)


def robust_rows(clients: int, seed: int) -> list[Row]:
    """Return a row for each way to decide and source of the powers, and one for deciding anew in each round."""
    sampled = [cell(clients, "fading", seed, n) for n in range(1, 1 + SAMPLED)]
    fresh = [cell(clients, "fading", seed, n) for n in range(1 + SAMPLED, 1 + SAMPLED + FRESH)]
    mean = mean_cell(clients, seed)
    plain = {"nominal": mean, "cautious": faded(mean), "one round": sampled[0]}
    starts = {method: Decision.of(solved(instance, "exact")[0]) for method, instance in plain.items()}
    rows = [row for power in POWERS for row in _rows(sampled, fresh, starts, power)]
    anew = np.array([[latency_s(instance, solved(instance, "exact")[0]) for instance in fresh]])
    return [*rows, {"method": "every round", "power": CONTROLLED, **_judged(anew), "cut_layer": None, "search_s": None}]


def faded(instance: Instance) -> Instance:
    """Return an instance whose gains are those that `QUANTILE` of the rounds exceed under Rayleigh fading."""
    factor = -math.log(QUANTILE)
    channel = instance.channel
    gains = {name: factor * getattr(channel, name) for name in ("uplink_gain", "downlink_gain")}
    return instance.replace(channel=channel.model_copy(update=gains))


def _rows(
    sampled: Sequence[Instance], fresh: Sequence[Instance], starts: Mapping[str, Decision], power: str
) -> Iterator[Row]:
    decided: dict[str, tuple[Decision, float | None]] = {method: (start, None) for method, start in starts.items()}
    for method, objective in OBJECTIVES.items():
        start_s = time.perf_counter()
        found = search(sampled, list(starts.values()), power, objective)
        decided[method] = found, time.perf_counter() - start_s
    for method, (decision, search_s) in decided.items():
        latency = latencies_s(fresh, decision.cut, decision.owner[np.newaxis], power)
        name = sampled[0].model.cut_layers[decision.cut].name
        yield {"method": method, "power": power, **_judged(latency), "cut_layer": name, "search_s": search_s}


def _judged(latency_s: FloatArray) -> dict[str, float]:
    return {"mean_s": float(latency_s.mean()), "p90_s": float(np.quantile(latency_s, QUANTILE))}


def search(rounds: Sequence[Instance], starts: Sequence[Decision], power: str, objective: Objective) -> Decision:
    """Return the best decision that local search finds from the best start."""

    def best_of(cut: int, owners: IntArray) -> tuple[float, Decision]:
        value = objective(latencies_s(rounds, cut, owners, power))
        n = int(value.argmin())
        return float(value[n]), Decision(cut, owners[n])

    def least(found: Sequence[tuple[float, Decision]]) -> tuple[float, Decision]:
        return min(found, key=lambda pair: pair[0])

    cuts = list(feasible_cuts(rounds[0]))
    best = least([best_of(start.cut, start.owner[np.newaxis]) for start in starts])
    while True:
        now = best[1]
        moves = handed_on(now.owner, rounds[0].n_clients)
        found = best_of(now.cut, moves) if len(moves) else best
        if not found[0] < best[0]:
            found = least([best_of(cut, now.owner[np.newaxis]) for cut in cuts])
        if not found[0] < best[0] * (1 - 1e-9):
            return now
        best = found


def handed_on(owner: IntArray, n_clients: int) -> IntArray:
    """Return the allocations in which one client has handed one subchannel to another, shape (moves, subchannels).

    Which of its subchannels does not matter before the fading is known: the last one. Nobody gives its only one away.
    """
    moves = []
    for giver in range(n_clients):
        held = np.flatnonzero(owner == giver)
        for taker in range(n_clients) if len(held) > 1 else ():
            if taker != giver:
                moves.append(owner.copy())
                moves[-1][held[-1]] = taker
    return np.array(moves, dtype=np.intp).reshape(len(moves), len(owner))


def latencies_s(rounds: Sequence[Instance], cut: int, owners: IntArray, power: str) -> FloatArray:
    """Return the latency of each allocation in each round in seconds, shape (allocations, rounds)."""
    if power == CONTROLLED:
        found = [allocation_latencies_s(instance, cut_costs(instance, cut), owners) for instance in rounds]
        return np.array(found).T
    schedules = [with_power(rounds[0], Schedule(cut, owner, np.zeros(len(owner))), power) for owner in owners]
    return np.array([[latency_s(instance, schedule) for instance in rounds] for schedule in schedules])
