"""Rounds of a cell under schedules that are made anew every K rounds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from epsl_opt.core.instance import Instance
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Row
from epsl_opt.studies.dynamics.cells import CONTROLLED, POWERS, cell, latency_s, solved, with_power

SOLVERS = ("exact", "bcd", "greedy")
ROUNDS = 40
PERIODS = (1, 2, 5, 10, 20, ROUNDS)
"""Rounds from one solve to the next; the last solves once."""


def resolving_rows(clients: int, change: str, seed: int) -> list[Row]:
    """Return a row for each solver, period and source of the powers: latencies over the rounds of one cell."""
    rounds = [cell(clients, change, seed, n) for n in range(ROUNDS)]
    return [row for solver in SOLVERS for row in _rows(rounds, solver)]


def _rows(rounds: Sequence[Instance], solver: str) -> Iterator[Row]:
    made = [solved(instance, solver) for instance in rounds]
    schedules, solve_s = [schedule for schedule, _ in made], float(np.mean([seconds for _, seconds in made]))
    for every in PERIODS:
        in_force = [schedules[n - n % every] for n in range(len(rounds))]
        for power in POWERS:
            start_s = time.perf_counter()
            powered = [with_power(*pair, power) for pair in zip(rounds, in_force, strict=True)]
            control_s = (time.perf_counter() - start_s) / len(rounds) if power == CONTROLLED else 0.0
            found = {**_latencies(rounds, powered), "solve_s": solve_s, "control_s": control_s}
            yield {"solver": solver, "power": power, "every": every, **found}


def _latencies(rounds: Sequence[Instance], schedules: Sequence[Schedule]) -> dict[str, float]:
    found = [latency_s(*pair) for pair in zip(rounds, schedules, strict=True)]
    return {"latency_s": float(np.mean(found)), "p90_s": float(np.quantile(found, 0.9)), "worst_s": max(found)}
