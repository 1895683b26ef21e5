"""Rounds to target by point and seed, and what they are worth in seconds on a cell."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import fmean

from benchmarks.averaging_points import Point, Setting
from benchmarks.averaging_prices import price
from epsl_opt.core.framework import Framework

Rounds = Mapping[Point, Mapping[int, int | None]]
"""Point -> seed -> rounds to target, None where it was given up."""
KEPT = 3
"""Points of a framework and cell that go on after the first seed."""
Winners = Mapping[str, Mapping[Framework, Point]]
"""Cell -> framework -> its soonest point."""


def seconds(setting: Setting, cell: str, point: Point, rounds: int | None) -> float | None:
    """Return the simulated time of so many rounds on a cell; None if the target was not reached."""
    return None if rounds is None else price(setting, cell, point).timing.simulated_time_s(rounds)


def typical_s(setting: Setting, cell: str, point: Point, found: Mapping[int, int | None]) -> float:
    """Return the geometric mean of the times to target, infinite unless every seed reached it."""
    times = [seconds(setting, cell, point, rounds) for rounds in found.values()]
    logs = [math.log(time_s) for time_s in times if time_s is not None]
    return math.exp(fmean(logs)) if len(logs) == len(times) else math.inf


def promising(setting: Setting, rounds: Rounds) -> list[Point]:
    """Return the points that are among the soonest few of their framework on some cell, in the grid's order."""
    kept: set[Point] = set()
    for cell in setting.cells:
        for framework in frameworks(setting):
            kept.update(_soonest(setting, cell, framework, rounds)[:KEPT])
    return [point for point in setting.grid if point in kept]


def winners(setting: Setting, rounds: Rounds) -> dict[str, dict[Framework, Point]]:
    """Return cell -> framework -> its soonest point, where one reached the target on all seeds."""
    found: dict[str, dict[Framework, Point]] = {}
    for cell in setting.cells:
        best = ((framework, _soonest(setting, cell, framework, rounds)) for framework in frameworks(setting))
        found[cell] = {framework: points[0] for framework, points in best if points}
    return found


def frameworks(setting: Setting) -> list[Framework]:
    """Return the frameworks of the grid, in its order."""
    return list(dict.fromkeys(point.framework for point in setting.grid))


def _soonest(setting: Setting, cell: str, framework: Framework, rounds: Rounds) -> list[Point]:
    times = {
        point: typical_s(setting, cell, point, found) for point, found in rounds.items() if point.framework is framework
    }
    return sorted((point for point in times if math.isfinite(times[point])), key=times.__getitem__)


COLUMNS = (
    "framework",
    "aggregation_ratio",
    "average_every",
    "cut_layer",
    "learning_rate",
    "seed",
    "rounds",
    "gave_up_after",
)


def rounds_rows(setting: Setting, rounds: Rounds) -> Iterator[dict[str, object]]:
    """Yield the table of rounds: a row a point and seed, `rounds` empty where the target was not reached."""
    for point, found in rounds.items():
        given = (point.framework.value, point.phi, point.average_every, point.cut_layer, point.lr)
        for seed, number in found.items():
            gave_up = setting.limit(point.learner) if number is None else None
            yield dict(zip(COLUMNS, (*given, seed, number, gave_up), strict=True))
