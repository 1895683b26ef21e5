"""The tables of `averaging.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from benchmarks.averaging_points import ANY_CUT, Point, Setting
from benchmarks.averaging_prices import price
from benchmarks.averaging_rounds import Rounds, Winners, seconds, typical_s
from docs_tools.marked_text import markdown_table
from epsl_opt.core.framework import Framework
from epsl_opt.report.intervals import paired_ratio

NOTHING = "-"


def time_table(setting: Setting, best: Winners, rounds: Rounds) -> str:
    """Return each framework's tuned point on each cell: latency, bound, rounds and seconds to the target."""
    target = f"{100 * setting.target_accuracy:g} %"
    head = (
        f"| cell | way to train | learning rate | mean round (s) | rounds to {target} | seeds that got there |"
        f" simulated seconds to {target} |"
    )
    rows = (_times(setting, cell, point, rounds[point]) for cell, points in best.items() for point in points.values())
    return markdown_table(head, "|---|---|--:|--:|--:|--:|--:|", rows)


def _times(setting: Setting, cell: str, point: Point, found: Mapping[int, int | None]) -> tuple[str, ...]:
    cost = price(setting, cell, point)
    counts = [float(number) for number in found.values() if number is not None]
    times = [time_s for number in found.values() if (time_s := seconds(setting, cell, point, number)) is not None]
    where = f", cut at {cost.cut_layer}" if point.cut_layer == ANY_CUT and point.framework is not Framework.FL else ""
    return (
        short(cell),
        point.name + where,
        f"{point.lr:g}",
        f"{cost.mean_s:.4g}",
        _spread(counts),
        f"{len(counts)} of {len(found)}",
        _spread(times),
    )


def lead_table(setting: Setting, best: Winners, rounds: Rounds) -> str:
    """Return how many times as long as EPSL every other framework takes on each cell, paired by seed."""
    others = [each for each in next(iter(best.values())) if each is not Framework.EPSL]
    head = f"| cell | {' | '.join(f'{each} / epsl' for each in others)} |"
    rows = (
        (short(cell), *(_lead(setting, cell, points, other, rounds) for other in others))
        for cell, points in best.items()
    )
    return markdown_table(head, "|---|" + "--:|" * len(others), rows)


def _lead(setting: Setting, cell: str, points: Mapping[Framework, Point], other: Framework, rounds: Rounds) -> str:
    if not {Framework.EPSL, other} <= set(points):
        return NOTHING
    pairs = list(_pairs(setting, cell, points[other], points[Framework.EPSL], rounds))
    if not pairs:
        return NOTHING
    ratio = paired_ratio([theirs for theirs, _ in pairs], [ours for _, ours in pairs])
    missing = len(rounds[points[other]]) - len(pairs)
    return ratio.text() + (f" ({missing} seeds left out)" if missing else "")


def _pairs(setting: Setting, cell: str, mine: Point, theirs: Point, rounds: Rounds) -> Iterator[tuple[float, float]]:
    for seed, number in rounds[mine].items():
        a = seconds(setting, cell, mine, number)
        b = seconds(setting, cell, theirs, rounds[theirs][seed])
        if a is not None and b is not None:
            yield a, b


def tuning_table(setting: Setting, first: Rounds, tuned: Rounds) -> str:
    """Return the rounds to target of the whole grid on the tuning seeds; the promising ones have all of them."""
    cell = setting.cells[0]
    head = f"| way to train | learning rate | rounds, by seed | seconds on {short(cell)} |"
    rows = []
    for point, found in (first | tuned).items():
        typical = typical_s(setting, cell, point, found)
        counts = ", ".join(NOTHING if number is None else str(number) for number in found.values())
        rows.append((point.name, f"{point.lr:g}", counts, f"{typical:.3g}" if typical < float("inf") else NOTHING))
    return markdown_table(head, "|---|--:|--:|--:|", rows)


def short(cell: str) -> str:
    """Return a cell's name without what all of them share."""
    return "seed " + cell.partition("seed=")[2].replace(",", ", ")


def _spread(values: Sequence[float]) -> str:
    if not values:
        return NOTHING
    return f"{fmean(values):.3g} [{min(values):.3g}, {max(values):.3g}]"
