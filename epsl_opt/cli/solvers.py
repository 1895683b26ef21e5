"""`epsl-opt solvers`: what there is to solve with."""

from __future__ import annotations

from typing import TypedDict

import click

from epsl_opt.cli.output import emit_csv, emit_json, emit_tables, facts, table
from epsl_opt.cli.params import complete_solver, format_option


class _SolverRow(TypedDict):
    solver: str
    kind: str | None
    available: bool
    summary: str


_COLUMNS = tuple(_SolverRow.__annotations__)


@click.command()
@click.argument("name", required=False, metavar="[NAME]", shell_complete=complete_solver)
@format_option("table", "json", "csv")
def command(name: str | None, form: str) -> int:
    """List the solvers, or one solver's options.

    Without NAME: every registered solver, what kind it is (exact: proves its gap; relaxation: proves a bound;
    heuristic: a schedule without a bound; baseline: for comparison) and whether it loads here. With NAME: the options
    it takes through `--option K=V`, with types, defaults and units. Plug-ins are listed like built-in solvers.

    \b
    Examples:
      epsl-opt solvers
      epsl-opt solvers local-search
      epsl-opt solvers --format json
    """
    if name is None:
        _print_all([_describe(solver) for solver in _names()], form)
    else:
        _print_one(name, form)
    return 0


def _names() -> list[str]:
    from epsl_opt.plugins import registry

    return registry.names(registry.SOLVERS)


def _describe(name: str) -> _SolverRow:
    from epsl_opt.core.errors import InputError
    from epsl_opt.plugins.registry import load_solver

    try:
        solver = load_solver(name)
    except InputError as error:
        return {"solver": name, "kind": None, "available": False, "summary": str(error)}
    return {"solver": name, "kind": str(solver.kind), "available": True, "summary": solver.summary}


def _print_all(rows: list[_SolverRow], form: str) -> None:
    if form == "json":
        emit_json(rows)
    elif form == "csv":
        emit_csv(_COLUMNS, rows)
    else:
        cells = [(r["solver"], r["kind"] or "-", "yes" if r["available"] else "no", r["summary"]) for r in rows]
        emit_tables(table("", _COLUMNS, cells, text_columns=4))


def _print_one(name: str, form: str) -> None:
    from epsl_opt.plugins.option_rows import COLUMNS, option_cells, option_rows
    from epsl_opt.plugins.registry import load_solver

    solver = load_solver(name)
    rows = option_rows(solver.options_type)
    details = solver.details()
    if form == "json":
        more = [] if details is None else [dict(zip(details.columns, row, strict=True)) for row in details.rows]
        emit_json({**_describe(name), "options": rows, "details": more})
    elif form == "csv":
        emit_csv(COLUMNS, rows)
    else:
        head = facts("", [("solver", name), ("kind", str(solver.kind)), ("summary", solver.summary)])
        options = table("Options", COLUMNS, option_cells(rows), text_columns=4) if rows else "It has no options."
        shown = [] if details is None else [table(details.title, details.columns, details.rows, len(details.columns))]
        emit_tables(head, options, *shown)
