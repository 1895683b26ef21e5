"""What the rounds of a way to train take on a cell, under the certified schedule of its own round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks.averaging_points import ANY_CUT, Point, Setting, fitted_cell
from epsl_opt import Instance, Limits, solve
from epsl_opt.core.framework import Framework
from epsl_opt.core.round_timing import RoundTiming, round_timing

LIMITS = Limits(time_s=20.0, rel_gap=1e-3)


@dataclass(frozen=True)
class Price:
    """The rounds of a point on a cell: where they are cut, how long they take, and a bound on their mean's latency."""

    cut_layer: str
    timing: RoundTiming
    mean_s: float
    bound_s: float


def price(setting: Setting, cell: str, point: Point) -> Price:
    """Return what a point's rounds take on a cell, cut where it was trained, or wherever they are quickest."""
    instance = fitted_cell(cell, setting.task, setting.network, setting.batch_size)
    return quickest(instance, point.framework, point.phi, point.average_every, point.cut_layer)


@cache
def quickest(instance: Instance, framework: Framework, phi: float, every: int | None, cut_layer: str) -> Price:
    """Return what rounds take at a cut layer, or where they are quickest, each under its certified schedule."""
    names = [cut.name for cut in instance.model.cut_layers] if cut_layer == ANY_CUT else [cut_layer]
    own = instance.with_training(framework=framework, average_every=every)
    if framework is Framework.EPSL:
        own = own.with_training(aggregation_ratio=phi)
    return min((_at(own.with_cut_layers([name]), framework, every) for name in names), key=lambda found: found.mean_s)


def _at(instance: Instance, framework: Framework, every: int | None) -> Price:
    result = solve(instance, "exact", LIMITS)
    if result.schedule is None or result.bound_s is None:
        raise RuntimeError(f"no schedule for {framework} on {instance.name}: {result.message}")
    timing = round_timing(instance, result.schedule, framework, every)
    mean_s = timing.mean.round_latency_s
    if not math.isclose(mean_s, result.latency_s or math.nan, rel_tol=1e-9):
        raise RuntimeError(
            f"{framework} on {instance.name}: {mean_s} s by the clock, {result.latency_s} s by the solver"
        )
    return Price(instance.model.cut_layers[result.schedule.cut_layer].name, timing, mean_s, result.bound_s)


def check_alike(setting: Setting) -> None:
    """Refuse cells whose clients differ from the first one's in how many samples they hold.

    Raises
    ------
    ValueError
        Naming the cell.
    """
    found = [_samples(fitted_cell(cell, setting.task, setting.network, setting.batch_size)) for cell in setting.cells]
    for cell, samples in zip(setting.cells, found, strict=True):
        if samples != found[0]:
            raise ValueError(f"{cell}: its clients hold other samples than those of {setting.cells[0]}")


def _samples(instance: Instance) -> Sequence[int]:
    return [client.samples for client in instance.clients]
