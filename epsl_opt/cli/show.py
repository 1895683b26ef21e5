"""`epsl-opt show`: describe an instance or a schedule."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import complete_instance, format_option

if TYPE_CHECKING:
    from epsl_opt.documents import ScheduleDocument
    from epsl_opt.instance import Instance


@click.command()
@click.argument("source", metavar="FILE|INSTANCE", shell_complete=complete_instance)
@format_option("table", "json", "csv")
def command(source: str, form: str) -> int:
    """Describe an instance or a schedule.

    An instance: clients, range of the channel gains, cut layers. A schedule file: what each client got, and the round
    phase by phase, with the straggler everybody waits for and the stage it spends most of that time on, and, where the
    solver proved a bound, what more power, compute or spectrum would save.

    \b
    Examples:
      epsl-opt show paper:clients=10
      epsl-opt show instance.json
      epsl-opt show schedule.json

    CSV has the cut layers of an instance, or the clients of a schedule.
    """
    from epsl_opt.errors import InputError
    from epsl_opt.files import source_name

    found = _load(source)
    try:
        _show(found, form)
    except InputError as error:
        raise InputError(source_name(source), error.problem, error.field) from error
    return 0


def _load(source: str) -> Instance | ScheduleDocument:
    """Read a file as what its `format` field says it is; anything else is an instance by name."""
    from epsl_opt.documents import ScheduleDocument
    from epsl_opt.files import STDIN, parse_record, read_json, source_name
    from epsl_opt.instance import Instance
    from epsl_opt.sources import load_instance

    if source != STDIN and not Path(source).is_file():
        return load_instance(source)
    data = read_json(source)
    is_schedule = isinstance(data, dict) and data.get("format") == "epsl-opt/schedule"
    if is_schedule:
        return parse_record(ScheduleDocument, data, source_name(source))
    return parse_record(Instance, data, source_name(source))


def _show(found: Instance | ScheduleDocument, form: str) -> None:
    from epsl_opt.instance import Instance

    if isinstance(found, Instance):
        _show_instance(found, form)
    else:
        _show_schedule(found, form)


def _show_instance(instance: Instance, form: str) -> None:
    from epsl_opt.cli.cut_view import CUT_COLUMNS, cut_rows
    from epsl_opt.cli.instance_view import instance_summary, instance_tables

    if form == "json":
        emit_json(instance_summary(instance))
    elif form == "csv":
        emit_csv(CUT_COLUMNS, cut_rows(instance.model))
    else:
        emit_tables(*instance_tables(instance))


def _show_schedule(document: ScheduleDocument, form: str) -> None:
    from epsl_opt.breakdown import Breakdown
    from epsl_opt.cli.schedule_view import client_table, phase_table, summary, value_table
    from epsl_opt.exports import CLIENT_COLUMNS, flat

    if document.status != "verified" and form == "table":
        emit_tables(summary(document))
        return
    breakdown = Breakdown(document)
    clients = [asdict(row) for row in breakdown.clients]
    if form == "json":
        emit_json(
            {
                "latency_s": document.latency_s,
                "phases": [asdict(p) for p in breakdown.phases],
                "clients": clients,
                "marginal_values": document.provenance.get("marginal_values"),
            }
        )
    elif form == "csv":
        emit_csv(CLIENT_COLUMNS, map(flat, clients))
    else:
        worth = value_table(document)
        tables = [summary(document), phase_table(breakdown), client_table(breakdown)]
        emit_tables(*tables, *([worth] if worth is not None else []))
