"""Means over draws at every level of heterogeneity: what the figures show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from epsl_opt.plugins.study import Cell, Row
from epsl_opt.report.intervals import Interval
from epsl_opt.studies.heterogeneity.levels import ALIKE, AS_PUBLISHED, KINDS
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.framework_rounds import FRAMEWORKS, OTHERS
from epsl_opt.studies.shared.rows import BySeed, by_seed, columns, geometric_mean, mean, ratio
from epsl_opt.studies.shared.solver_runs import SOLVERS

Setting = tuple[str, float]


def levels_of(rows: Sequence[Row], kind: str) -> list[float]:
    """Return the levels of a kind that were run, ascending; all kinds begin with the same."""
    found = {float(row["level"] or 0) for row in rows if row["kind"] == kind}
    return sorted(found | {ALIKE}) if kind != AS_PUBLISHED else sorted(found)


def of_solver(rows: Sequence[Row], column: str, setting: Setting, fading: str, solver: str) -> BySeed:
    """Return a solver's values by seed."""
    return by_seed(rows, column, **_place(setting), fading=fading, solver=solver)


def of_framework(rows: Sequence[Row], setting: Setting, fading: str, framework: str) -> BySeed:
    """Return a framework's round latencies by seed."""
    place = _place(setting)
    return by_seed(rows, "latency_s", **place, fading=fading, solver="frameworks", framework=framework)


def _place(setting: Setting) -> dict[str, Cell]:
    """Return where the rows of a kind and level are; level 0 is that of all kinds."""
    kind, level = setting
    return {"kind": KINDS[0] if kind in KINDS and level == ALIKE else kind, "level": level}


def curve_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return all means in long form: kind, level, fading, name of solver or framework, quantity."""
    return [
        {"kind": kind, "level": level, "fading": fading, "name": name, "quantity": quantity}
        | columns(interval, "mean")
        | {"draws": interval.n}
        for kind in (*KINDS, AS_PUBLISHED)
        for level in levels_of(rows, kind)
        for fading in CHANNELS
        for name, quantity, interval in _quantities(rows, (kind, level), fading)
    ]


LEVEL_COLUMNS = {
    "gain_spread_db": ("clients", "gain_spread_db"),
    "clock_ratio": ("clients", "clock_ratio"),
    "optimum_s": ("exact", "latency_s"),
    "straggler_share": ("exact", "straggler_share"),
    "waiting_share": ("exact", "waiting_share"),
    "bcd_gap": ("bcd", "gap"),
    "greedy_gap": ("greedy", "gap"),
    "psl_lead": ("PSL", "lead"),
    "sfl_lead": ("SFL", "lead"),
    "sl_lead": ("SL", "lead"),
}
"""Column of the table of levels -> name and quantity among the curves."""


def level_rows(curves: Sequence[Row]) -> list[dict[str, Any]]:
    """Return one row per kind, level and channel with the means that tell most."""
    found: dict[tuple[Cell, ...], dict[str, Any]] = {}
    for row in curves:
        where = {"kind": row["kind"], "level": row["level"], "fading": row["fading"]}
        line = found.setdefault(tuple(where.values()), where | dict.fromkeys(LEVEL_COLUMNS) | {"draws": 0})
        for column, place in LEVEL_COLUMNS.items():
            if place == (row["name"], row["quantity"]):
                line |= {column: row["mean"], "draws": row["draws"]}
    return list(found.values())


def _quantities(rows: Sequence[Row], setting: Setting, fading: str) -> Iterator[tuple[str, str, Interval]]:
    for solver in SOLVERS:
        yield solver, "latency_s", geometric_mean(of_solver(rows, "latency_s", setting, fading, solver))
        for share in ("gap", "straggler_share", "waiting_share"):
            yield solver, share, mean(of_solver(rows, share, setting, fading, solver))
    for framework in FRAMEWORKS:
        yield framework, "latency_s", geometric_mean(of_framework(rows, setting, fading, framework))
    for framework in OTHERS:
        mine, theirs = (of_framework(rows, setting, fading, name) for name in ("EPSL", framework))
        yield framework, "lead", ratio(theirs, mine)
    for spread in ("gain_spread_db", "clock_ratio"):
        yield "clients", spread, mean(of_solver(rows, spread, setting, fading, SOLVERS[0]))
