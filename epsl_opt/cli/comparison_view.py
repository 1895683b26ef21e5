"""A comparison as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from epsl_opt.cli.output import table
from epsl_opt.cli.units import NOTHING, fixed, number, percent

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.campaigns.ranking import RunRow

_COLUMNS = ("solver", "status", "stop reason", "latency s", "bound s", "gap", "gap to best bound", "time s", "note")
_SUMMARY = ("solver", "wins", "verified", "median latency s", "median gap to best bound", "median time s")


def comparison_tables(rows: Sequence[RunRow]) -> list[Table]:
    """Return a table per instance and, if there are several instances, a summary."""
    by_instance: dict[str, list[RunRow]] = {}
    for row in rows:
        by_instance.setdefault(row.instance_sha256, []).append(row)
    tables = [_instance_table(runs) for runs in by_instance.values()]
    return [*tables, _summary_table(rows)] if len(tables) > 1 else tables


def _instance_table(rows: Sequence[RunRow]) -> Table:
    bound = rows[0].best_bound_s
    proved = "no bound known" if bound is None else f"best bound {number(bound)} s"
    made = table(f"{rows[0].instance}: {proved}", _COLUMNS, map(_cells, rows), text_columns=3)
    made.columns[-1].justify = "left"
    return made


def _cells(row: RunRow) -> tuple[str, ...]:
    return (
        row.solver,
        row.status,
        row.stop_reason,
        number(row.latency_s),
        number(row.bound_s),
        percent(row.gap),
        percent(row.best_bound_gap),
        fixed(row.build_s + row.solve_s, 3),
        NOTHING if not row.message else row.message,
    )


def _summary_table(rows: Sequence[RunRow]) -> Table:
    from epsl_opt.campaigns.ranking import summarise

    lines = (
        (
            line.solver,
            str(line.wins),
            f"{line.verified} of {line.runs}",
            number(line.median_latency_s),
            percent(line.median_best_bound_gap),
            fixed(line.median_time_s, 3),
        )
        for line in summarise(rows)
    )
    return table(f"Summary of {len({row.instance_sha256 for row in rows})} instances", _SUMMARY, lines)
