"""`epsl-opt check`: verify a schedule file against its instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.instance_params import InstanceArguments, instance_options
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables, table
from epsl_opt.cli.params import format_option, instance_argument, packed
from epsl_opt.cli.units import number

if TYPE_CHECKING:
    from epsl_opt.core.checker import Violation
    from epsl_opt.core.instance import Instance
    from epsl_opt.core.schedule import Schedule
    from epsl_opt.files.documents import ScheduleDocument

_SAME = "what `epsl-opt solve` was given to change the instance, such as --task or --cut-layers, belongs here, too"
_COLUMNS = ("constraint", "entity", "amount", "unit", "tolerance")


@click.command()
@instance_argument
@click.argument("schedule", metavar="SCHEDULE", type=click.Path(allow_dash=True))
@instance_options
@format_option("table", "json", "csv")
@packed(InstanceArguments)
def command(changes: InstanceArguments, *, instance: str, schedule: str, form: str) -> int:
    """Verify a schedule file against its instance.

    Checks every constraint of the problem (allocation, power limits, rates), then recomputes every stage latency,
    rate, the round latency and the gap, and compares them with what the file claims. Nothing is taken on trust.

    \b
    Examples:
      epsl-opt check paper schedule.json
      epsl-opt check instance.json schedule.json --format json
      epsl-opt check paper schedule.json --task digits --min-cut pool1

    Give --task, --network, --batch-size, --phi, --cut-layers and --min-cut as they were given to `epsl-opt solve`: they
    are part of the instance that the schedule is for.

    The exit code is 0 if all holds, 5 if a constraint or claim is violated, 2 if the schedule is for another instance.
    """
    from epsl_opt.core.frameworks import instance_round
    from epsl_opt.core.reading import source_name
    from epsl_opt.files.documents import check_document, refuse_foreign
    from epsl_opt.files.json_files import read_schedule

    _refuse_two_stdins(instance, schedule)
    problem = changes.load(instance)
    document = read_schedule(schedule)
    refuse_foreign(document, problem, source_name(schedule), _SAME)
    decision = _decision(document, schedule)
    violations = check_document(problem, document)
    # A schedule that breaks a constraint may not even have a latency.
    latency_s = None if violations else instance_round(problem, decision).round_latency_s
    _print(problem, violations, latency_s, form)
    return ExitCode.REJECTED if violations else ExitCode.OK


def _decision(document: ScheduleDocument, source: str) -> Schedule:
    from epsl_opt.core.errors import InputError

    decision = document.schedule()
    if decision is None:
        raise InputError(source, f"holds no schedule to check ({document.status}, {document.stop_reason})", "status")
    return decision


def _refuse_two_stdins(instance: str, schedule: str) -> None:
    if instance == schedule == "-":
        raise click.UsageError("INSTANCE and SCHEDULE can't both be standard input")


def _print(problem: Instance, violations: list[Violation], latency_s: float | None, form: str) -> None:
    records = [{column: getattr(violation, column) for column in _COLUMNS} for violation in violations]
    if form == "json":
        verdict = {"instance": problem.name, "ok": not violations, "latency_s": latency_s, "violations": records}
        emit_json(_finite(verdict))
    elif form == "csv":
        emit_csv(_COLUMNS, records)
    elif violations:
        rows = ((v.constraint, v.entity, f"{number(v.amount)} {v.unit}", number(v.tolerance, 3)) for v in violations)
        columns = ("violated", "of", "off by", "tolerance")
        emit_tables(table(f"{problem.name}: REJECTED", columns, rows, text_columns=2))
    else:
        emit_tables(f"{problem.name}: OK, round latency {number(latency_s, 10)} s")


def _finite(data: object) -> object:
    """JSON knows no infinities; an amount that is infinite becomes null."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and data - data != 0 else data
