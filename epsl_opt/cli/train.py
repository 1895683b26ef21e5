"""`epsl-opt train`: train for real under a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from epsl_opt.cli.numbers import SECONDS, SEED
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import (
    complete_instance,
    complete_solver,
    cut_options,
    format_option,
    packed,
    pairs_option,
    quiet_option,
)
from epsl_opt.cli.train_arguments import TrainArguments
from epsl_opt.cli.training_params import FRAMEWORKS, training_options
from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_REL_GAP, DEFAULT_SOLVER, DEFAULT_TIME_LIMIT_S

if TYPE_CHECKING:
    from epsl_opt.plugins.backend import AnyBackend

_SOLVER_HELP = f"Who makes the schedule [default: {DEFAULT_SOLVER}]."


@click.command()
@click.argument("instance", metavar="INSTANCE", required=False, shell_complete=complete_instance)
@click.option("-s", "--solver", metavar="NAME", shell_complete=complete_solver, help=_SOLVER_HELP)
@click.option(
    "--schedule", type=click.Path(allow_dash=True), metavar="FILE", help="A schedule file instead of a solver."
)
@click.option(
    "--time-limit",
    type=SECONDS,
    default=DEFAULT_TIME_LIMIT_S,
    show_default=True,
    metavar="S",
    help="For the solver; inf for none.",
)
@click.option(
    "--gap",
    type=float,
    default=DEFAULT_REL_GAP,
    show_default=True,
    metavar="G",
    help="The gap the solver may stop at.",
)
@cut_options
@click.option(
    "--framework", type=click.Choice(FRAMEWORKS), help="How to train together [default: the instance's, or epsl]."
)
@click.option("--phi", type=float, metavar="P", help="Aggregation ratio of epsl [default: the instance's].")
@training_options
@click.option("--seed", type=SEED, default=0, show_default=True, metavar="N", help="Of the training.")
@pairs_option("One of the backend's own options")
@click.option("--describe", is_flag=True, help="Show the backend's tasks and options.")
@click.option("-o", "--output", type=click.Path(), metavar="DIR", help="Keep records, summary, checkpoint here.")
@click.option("--resume", is_flag=True, help="Go on with the training in DIR, or begin.")
@format_option("table", "json", "csv")
@quiet_option
@packed(TrainArguments)
def command(arguments: TrainArguments) -> int:
    """Train for real under a schedule.

    Trains a network on clients and server as the framework says, with the cut layer of the schedule, and tells how long
    that would take on the instance's devices and radio: simulated time is the sum of the rounds' latencies. The
    schedule comes from a solver or a file. Where the instance's model is not the network that is trained, its profile
    is replaced by the network's; the task `paper` is of the default instance's own network, ResNet-18. A schedule file
    must be for the instance as it is then: `epsl-opt solve` with the same --task and --network makes it.

    The client-side models of epsl and psl drift apart, unless --average-every I has them averaged after every I-th
    round: sent up by every client and broadcast, which takes its time in these rounds. With I = 1, psl is sfl. Where
    clients hold many layers or have few subchannels, try 5 to 20.

    \b
    Examples:
      epsl-opt train paper --rounds 50
      epsl-opt train paper --framework psl --target-accuracy 0.9 -o psl
      epsl-opt train paper --phi 0.5 --average-every 5 --target-accuracy 0.9
      epsl-opt train paper --phi 1 --solver bcd --option lr=0.05 --rounds 100 -o run
      epsl-opt train paper --phi 1 --solver bcd --option lr=0.05 --rounds 200 -o run --resume
      epsl-opt solve paper --task digits -o s.json
      epsl-opt train paper --task digits --schedule s.json
      epsl-opt train --describe

    DIR gets records.csv (one row a round), summary.json, a checkpoint, and the instance and schedule that were used.
    Ctrl-C saves and stops; --resume goes on, bit for bit as if nothing had happened. JSON on standard output is the
    summary, CSV the records. The exit code is 1 if training diverges, 130 if it is interrupted; without a schedule it
    is that of `epsl-opt solve`.
    """
    if arguments.describe:
        from epsl_opt.plugins.registry import load_backend

        return describe(load_backend(arguments.backend or DEFAULT_BACKEND), arguments.form)
    from epsl_opt.cli.train_flow import train

    return train(arguments)


def describe(backend: AnyBackend, form: str) -> int:
    """Write a backend's tasks and options."""
    from epsl_opt.cli.training_view import backend_tables
    from epsl_opt.plugins.option_rows import COLUMNS, option_rows

    rows = option_rows(backend.options_type)
    if form == "json":
        emit_json({"backend": backend.name, "summary": backend.summary, "tasks": backend.tasks(), "options": rows})
    elif form == "csv":
        emit_csv(COLUMNS, rows)
    else:
        emit_tables(*backend_tables(backend))
    return 0
