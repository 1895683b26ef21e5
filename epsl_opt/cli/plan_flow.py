"""The way of `epsl-opt plan`: instance, grid, pilots, and what to say at the end."""

from __future__ import annotations

from pathlib import Path

from epsl_opt.campaigns.engines import Engine, processors
from epsl_opt.cli.engine_params import chosen_engine, heard_interrupts
from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.instance_params import tell_replaced
from epsl_opt.cli.messages import complain, going_on, note
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import make_limits
from epsl_opt.cli.plan_arguments import PlanArguments
from epsl_opt.cli.plan_view import plan_tables
from epsl_opt.cli.progress import live
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.training_progress import TrainingLine
from epsl_opt.core.defaults import LOCAL
from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits
from epsl_opt.files.folder_lock import locked
from epsl_opt.planning.pilots import PilotsInterrupted
from epsl_opt.planning.plan import Plan, plan_from_table, plan_with_pilots
from epsl_opt.planning.rounds_table import read_rounds_table
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.plan_files import COLUMNS, point_rows, write_plan


def make_plan(arguments: PlanArguments) -> int:
    """Plan as the command line says, print and write it; return the exit code.

    Raises
    ------
    click.UsageError, InputError
        If anything the user gave is wrong.
    """
    limits = make_limits(arguments.time_limit, arguments.gap, 0, None)
    source = load_instance(arguments.instance)
    folder = None if arguments.output is None else Path(arguments.output)
    with locked(folder):
        try:
            plan = _plan(arguments, source, limits, folder)
        except PilotsInterrupted:
            complain(f"interrupted; {going_on(folder)}")
            return ExitCode.INTERRUPTED
        if folder is not None:
            write_plan(folder, plan)
    _print(plan, arguments.form)
    if folder is not None:
        note(f"wrote {folder}")
    if plan.document.winner is None:
        complain(plan.certificate)
        return ExitCode.NO_SCHEDULE
    return ExitCode.OK


def _plan(arguments: PlanArguments, source: Instance, limits: Limits, folder: Path | None) -> Plan:
    if arguments.rounds_table is not None:
        return plan_from_table(source, read_rounds_table(arguments.rounds_table), None, limits)
    base, wishes = arguments.request(), arguments.wishes()
    with stdout_to_stderr():
        fitted = base.fit(source)
        points = wishes.grid(fitted.instance, base.backend).points()
    tell_replaced(fitted)
    note(f"{len(points)} points, {len(wishes.chosen_seeds)} seeds, at most {base.goal.rounds} rounds each")
    with (
        _engine(arguments) as engine,
        live(TrainingLine()) as line,
        stdout_to_stderr(),
        heard_interrupts(engine) as stop_request,
    ):
        return plan_with_pilots(
            fitted,
            points,
            wishes.chosen_seeds,
            folder=folder,
            limits=limits,
            engine=engine,
            observer=line,
            stop_request=stop_request,
        )


def _engine(arguments: PlanArguments) -> Engine:
    """Return where pilots are trained: beside each other, as long as there are processors and nothing else is asked."""
    jobs = arguments.jobs
    if jobs is None and arguments.engine == LOCAL:
        jobs = processors()
    return chosen_engine(arguments.engine, jobs, arguments.scheduler, here=True)


def _print(plan: Plan, form: str) -> None:
    if form == "json":
        emit_json(plan.document.to_document())
    elif form == "csv":
        emit_csv(COLUMNS, point_rows(plan.document))
    else:
        emit_tables(*plan_tables(plan.document))
