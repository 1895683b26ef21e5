"""Values by seed and their intervals; where nothing can be matched, nothing is claimed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from epsl_opt.plugins.study import Cell, Row
from epsl_opt.report.intervals import Interval, mean_interval, paired_difference, paired_ratio
from epsl_opt.studies.shared.rows import NOTHING, number, select, whole

BySeed = Mapping[int, float]


def by_seed(rows: Sequence[Row], column: str, **wanted: Cell) -> dict[int, float]:
    """Return a column of the rows with these values, by seed; empty cells are left out."""
    return {whole(row, "seed"): number(row, column) for row in select(rows, **wanted) if row.get(column) is not None}


def mean(values: BySeed) -> Interval:
    """Return the mean over seeds."""
    return mean_interval(list(values.values())) if values else NOTHING


def geometric_mean(values: BySeed) -> Interval:
    """Return the geometric mean of positive values over seeds."""
    return ratio(values, dict.fromkeys(values, 1.0))


def ratio(mine: BySeed, theirs: BySeed) -> Interval:
    """Return the geometric mean of `mine / theirs` over the seeds of both."""
    common = sorted(mine.keys() & theirs.keys())
    return paired_ratio([mine[s] for s in common], [theirs[s] for s in common]) if common else NOTHING


def difference(mine: BySeed, theirs: BySeed) -> Interval:
    """Return the mean of `mine - theirs` over the seeds of both."""
    common = sorted(mine.keys() & theirs.keys())
    return paired_difference([mine[s] for s in common], [theirs[s] for s in common]) if common else NOTHING


def quotients(mine: BySeed, theirs: BySeed) -> dict[int, float]:
    """Return `mine / theirs` by seed."""
    return {seed: mine[seed] / theirs[seed] for seed in sorted(mine.keys() & theirs.keys())}


def over_settings(settings: Sequence[BySeed], *, geometric: bool = False) -> dict[int, float]:
    """Return each seed's mean over settings; draws of one seed are not independent, so they count as one value.

    A seed that lacks a setting is left out.
    """
    if not settings:
        return {}
    common = set.intersection(*(set(values) for values in settings))
    if geometric:
        return {
            seed: math.exp(math.fsum(math.log(values[seed]) for values in settings) / len(settings)) for seed in common
        }
    return {seed: math.fsum(values[seed] for values in settings) / len(settings) for seed in common}
