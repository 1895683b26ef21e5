"""`epsl-opt solve`: one solver on one instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.exits import exit_code
from epsl_opt.cli.instance_params import InstanceArguments, instance_options, refuse_instance_options
from epsl_opt.cli.messages import complain, note, warn
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import (
    complete_instance,
    complete_solver,
    format_option,
    is_configured,
    is_default,
    limit_options,
    make_limits,
    no_bound_option,
    output_option,
    packed,
    pairs_option,
    quiet_option,
)
from epsl_opt.cli.progress import live_progress
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.watch import WatchArguments, refuse_watch_options, run_watch, watch_options
from epsl_opt.core.defaults import DEFAULT_SOLVER, LIVE_SOLVER
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.files.writing import refuse_unwritable

if TYPE_CHECKING:
    from epsl_opt.core.instance import Instance
    from epsl_opt.core.results import Limits
    from epsl_opt.files.documents import ScheduleDocument


@click.command()
@click.argument("instance", required=False, metavar="INSTANCE", shell_complete=complete_instance)
@click.option(
    "-s",
    "--solver",
    default=DEFAULT_SOLVER,
    show_default=True,
    metavar="NAME",
    shell_complete=complete_solver,
    help=f"Which solver (see `epsl-opt solvers`); with --watch, {LIVE_SOLVER} if not given.",
)
@instance_options
@limit_options
@pairs_option("One of the solver's own options")
@no_bound_option
@output_option("the schedule")
@watch_options
@format_option("table", "json", "csv")
@quiet_option
@packed(WatchArguments)
@packed(InstanceArguments)
def command(
    watching: WatchArguments,
    changes: InstanceArguments,
    *,
    instance: str | None,
    solver: str,
    time_limit: float,
    gap: float,
    seed: int,
    threads: int | None,
    pairs: tuple[str, ...],
    no_bound: bool,
    output: str | None,
    form: str,
    quiet: bool,
) -> int:
    """Find a verified schedule for an instance.

    Decides which client gets which subchannel, with what power, and where the network is cut, so that one round takes
    the least time. The schedule and its latency are recomputed by an independent checker before anything is reported.
    Ctrl-C and the time limit keep the best schedule found so far.

    \b
    Examples:
      epsl-opt solve paper
      epsl-opt solve paper:clients=10,subchannels=40 --solver greedy
      epsl-opt solve instance.json --time-limit 30 --gap 0.001 -o schedule.json
      epsl-opt solve paper --min-cut layer1.0
      epsl-opt solve paper --task digits -o schedule.json
      epsl-opt solve --watch gains -o schedules
      epsl-opt generate paper | epsl-opt solve - --format json

    A solver that proves no bound has one proved beside it, in a tenth of the time limit at most, so that one sees how
    far from the optimum its schedule can be; --no-bound leaves that out. It is no part of the schedule file.

    JSON on standard output is the schedule file; CSV is one row with the columns of `epsl-opt compare`. The exit code
    is 0 for a verified schedule, 3 if the instance is infeasible, 4 if none was found, 5 if the schedule was rejected.

    The instance has the costs of one network. With --task (or --network), it gets those of what `epsl-opt train` trains
    on that task, so that `epsl-opt train INSTANCE --task NAME --schedule FILE` takes the schedule.

    With --watch there is no INSTANCE: every instance file that comes into DIR is solved, starting from the schedule
    before, and its schedule is written into the folder --output, also as latest.json. A line per schedule says how long
    that took, and whether it missed the deadline. The solver is bcd if none is given: it ends
    in time. Files should be renamed into DIR. If several wait, the newest is solved and the others are left out,
    unless --every. Ctrl-C ends it, with exit code 0.
    """
    from epsl_opt.core.options import split_pairs

    if watching.watch is not None and is_default("solver"):
        solver = LIVE_SOLVER
    limits = make_limits(time_limit, gap, seed, threads)
    options = split_pairs(_own(pairs, solver), f"solver {solver}")
    if watching.watch is not None:
        if instance is not None:
            raise click.UsageError("give either INSTANCE or --watch, not both")
        refuse_instance_options("is not for --watch; `epsl-opt generate` takes it", "task", "network", "backend")
        from epsl_opt.solving.live import Rescheduler

        rescheduler = Rescheduler(solver, options, warm=not watching.cold)
        return run_watch(Path(watching.watch), output, rescheduler, limits, changes.apply, watching, form)
    refuse_watch_options()
    if instance is None:
        raise click.UsageError("missing argument 'INSTANCE'")
    from epsl_opt.files.json_files import refuse_npz

    refuse_unwritable(output, instance)
    refuse_npz(output)
    problem = changes.load(instance)
    document = _solve(problem, solver, limits, options)
    _save(document, output)
    beside = None if no_bound or form == "json" else _bound_beside(problem, document, limits)
    _print(problem, document, form, beside)
    return exit_code(document.status, document.stop_reason)


def _own(pairs: tuple[str, ...], solver: str) -> tuple[str, ...]:
    """Return the options but those that a configuration file has for another solver, which it names."""
    meant = click.get_current_context().lookup_default("solver")
    if not is_configured("pairs") or meant in (None, solver):
        return pairs
    note(f"options of solver {meant} in the configuration file are left out")
    return ()


def _solve(problem: Instance, solver: str, limits: Limits, options: dict[str, str]) -> ScheduleDocument:
    from epsl_opt.files.documents import ScheduleDocument
    from epsl_opt.solving.solve import solve

    with live_progress() as line, stdout_to_stderr():
        line.start(solver)
        result = solve(problem, solver, limits, options, line.listen)
    return ScheduleDocument.from_result(problem, result)


def _bound_beside(problem: Instance, document: ScheduleDocument, limits: Limits) -> float | None:
    """A bound beside a verified schedule whose solver proved none."""
    if document.latency_s is None or document.bound_s is not None:
        return None
    from epsl_opt.solving.certificate import bound_beside_s

    with live_progress() as line, stdout_to_stderr():
        line.start("lower bound")
        return bound_beside_s(problem, limits.time_s)


def _save(document: ScheduleDocument, output: str | None) -> None:
    from epsl_opt.files.json_files import write_record

    message = document.provenance.get("message")
    if document.status is not SolutionStatus.VERIFIED:
        complain(f"no schedule ({document.status}, {document.stop_reason}){': ' + message if message else ''}")
        if output is not None:
            note(f"{output} was not written")
        return
    if document.stop_reason is StopReason.ERROR:
        warn(f"the solver failed, this is what it had found: {message}")
    if output is not None:
        write_record(output, document)
        note(f"wrote {output}")


def _print(problem: Instance, document: ScheduleDocument, form: str, beside: float | None) -> None:
    if form == "json":
        emit_json(document.to_document())
    elif form == "csv":
        from epsl_opt.campaigns.ranking import rank, run_columns

        rows = rank([document], {} if beside is None else {document.instance.sha256: beside})
        emit_csv(run_columns(rows), [row.to_dict() for row in rows])
    else:
        _print_tables(problem, document, beside)


def _print_tables(problem: Instance, document: ScheduleDocument, beside: float | None) -> None:
    from epsl_opt.cli.schedule_view import client_table, summary
    from epsl_opt.files.breakdown import Breakdown

    parts = [summary(document, beside)]
    if document.status is SolutionStatus.VERIFIED:
        names = [client.name for client in problem.clients]
        parts.append(client_table(Breakdown(document, names)))
    emit_tables(*parts)
