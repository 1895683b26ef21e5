"""A plan as tables."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING

from epsl_opt.cli.output import facts, table
from epsl_opt.cli.units import NOTHING, number, percent
from epsl_opt.files.plan_document import Fate
from epsl_opt.training.setup import method_name

if TYPE_CHECKING:
    from rich.console import RenderableType

    from epsl_opt.files.plan_document import PlanDocument, PlannedPoint

COLUMNS = (
    "way to train",
    "cut layer",
    "fate",
    "b",
    "lr",
    "round\nat least s",
    "round\ns",
    "rounds N",
    "N low",
    "N high",
    "time\nat least s",
    "time\nat most s",
    "pilots",
    "pilot\nrounds",
)

MAX_RULED_OUT = 10
"""Of the points that are ruled out, so many are shown; files have all."""


def plan_tables(document: PlanDocument) -> list[RenderableType]:
    """Return the points by their least time, what was found, and the command."""
    order = sorted(document.points, key=lambda point: (_rank(point), point.time_low_s or float("inf")))
    out = [point for point in order if _rank(point) > 1]
    shown = [point for point in order if _rank(point) <= 1] + out[:MAX_RULED_OUT]
    hidden = len(out) - len(out[:MAX_RULED_OUT])
    more = f" ({hidden} more are ruled out)" if hidden else ""
    return [
        table(f"{document.instance.name}: {len(document.points)} points{more}", COLUMNS, map(_cells, shown), 3),
        facts("", _facts(document)),
    ]


def _rank(point: PlannedPoint) -> int:
    return {Fate.WINNER: 0, Fate.CONTENDER: 1, Fate.CENSORED: 1}.get(point.fate, 2)


def _cells(point: PlannedPoint) -> tuple[str, ...]:
    return (
        method_name(point.framework.value, point.aggregation_ratio, point.average_every),
        point.cut_layer,
        point.fate.value,
        str(point.batch_size),
        NOTHING if point.learning_rate is None else f"{point.learning_rate:g}",
        number(point.round_bound_s, 5),
        number(point.round_latency_s, 5),
        number(point.rounds, 4),
        number(point.rounds_low, 4),
        number(point.rounds_high, 4),
        number(point.time_low_s, 4),
        number(point.time_high_s, 4),
        str(len(point.pilots)),
        str(sum(pilot.rounds for pilot in point.pilots)),
    )


def _facts(document: PlanDocument) -> list[tuple[str, str]]:
    fates = Counter(point.fate for point in document.points)
    pairs = [("points", ", ".join(f"{count} {fate}" for fate, count in fates.items()))]
    pairs.append(("intervals on N", f"{percent(document.level, 0)}, seeds differ by {percent(document.spread, 0)}"))
    if document.rounds_from == "pilots":
        whole = len(document.points) * len(document.seeds) * (document.horizon or 0)
        pairs.append(("pilot rounds", f"{document.pilot_rounds} of at most {whole}"))
    if document.single_low_s is not None:
        ends = f"{number(document.single_low_s, 4)} to {number(document.single_high_s, 4)} s"
        pairs.append(("one training", f"with another seed {ends}"))
    pairs.append(("certificate", document.certificate))
    if document.command:
        pairs.append(("train it", shlex.join(document.command)))
    return pairs
