"""`epsl-opt show`: describe an instance or a schedule."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import complete_instance, format_option, framework_options
from epsl_opt.core.outcome import SolutionStatus

if TYPE_CHECKING:
    from epsl_opt.core.instance import Instance
    from epsl_opt.files.documents import ScheduleDocument


@click.command()
@click.argument("source", metavar="FILE|INSTANCE", shell_complete=complete_instance)
@framework_options
@format_option("table", "json", "csv")
def command(source: str, framework: str | None, average_every: int | None, form: str) -> int:
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
    from epsl_opt.core.errors import found_in
    from epsl_opt.core.reading import source_name

    found = _about(_load(source), framework, average_every)
    with found_in(source_name(source)):
        _show(found, form)
    return 0


def _load(source: str) -> Instance | ScheduleDocument:
    """Read a file as what its `format` field says it is; anything else is an instance by name."""
    from epsl_opt.core.instance import Instance
    from epsl_opt.core.json_record import parse_record
    from epsl_opt.core.npz_document import read_document
    from epsl_opt.core.reading import is_readable, source_name
    from epsl_opt.files.documents import ScheduleDocument
    from epsl_opt.problems.sources import load_instance

    if not is_readable(source):
        return load_instance(source)
    data = read_document(source)
    is_schedule = isinstance(data, dict) and data.get("format") == "epsl-opt/schedule"
    if is_schedule:
        return parse_record(ScheduleDocument, data, source_name(source))
    return parse_record(Instance, data, source_name(source))


def _about(
    found: Instance | ScheduleDocument, framework: str | None, average_every: int | None
) -> Instance | ScheduleDocument:
    from epsl_opt.core.framework import Framework
    from epsl_opt.core.framework_choice import choose_framework
    from epsl_opt.core.instance import Instance

    if (framework, average_every) == (None, None):
        return found
    if not isinstance(found, Instance):
        raise click.UsageError("--framework and --average-every are for instances; a schedule is of one framework")
    return choose_framework(found, None if framework is None else Framework(framework), average_every)


def _show(found: Instance | ScheduleDocument, form: str) -> None:
    from epsl_opt.core.instance import Instance

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
    from epsl_opt.cli.schedule_source import marginal_values
    from epsl_opt.cli.schedule_view import client_table, phase_table, summary, value_table
    from epsl_opt.files.breakdown import Breakdown
    from epsl_opt.files.exports import client_columns, flat

    if document.status is not SolutionStatus.VERIFIED and form == "table":
        emit_tables(summary(document))
        return
    breakdown = Breakdown(document)
    values = marginal_values(document)
    clients = [row.to_dict() for row in breakdown.clients]
    if form == "json":
        emit_json(
            {
                "latency_s": document.latency_s,
                "phases": [asdict(p) for p in breakdown.phases],
                "clients": clients,
                "marginal_values": None if values is None else values.to_document(),
            }
        )
    elif form == "csv":
        emit_csv(client_columns(breakdown), map(flat, clients))
    else:
        tables = [summary(document), phase_table(breakdown), client_table(breakdown)]
        emit_tables(*tables, *([] if values is None else [value_table(values)]))
