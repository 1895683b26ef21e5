"""`epsl-opt train`: train for real under a schedule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.numbers import SECONDS, SEED
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import (
    complete_instance,
    complete_solver,
    cut_options,
    format_option,
    make_limits,
    pairs_option,
    quiet_option,
)
from epsl_opt.cli.training_params import (
    DEFAULT_BACKEND,
    DEFAULT_TASK,
    FRAMEWORKS,
    checkpoint_rounds,
    make_goal,
    split_options,
    training_options,
)
from epsl_opt.core.defaults import DEFAULT_SOLVER

if TYPE_CHECKING:
    from epsl_opt.files.training_document import TrainingDocument
    from epsl_opt.training.run import TrainingRun

_SOLVER_HELP = f"Who makes the schedule [default: {DEFAULT_SOLVER}]."


@click.command()
@click.argument("instance", metavar="INSTANCE", required=False, shell_complete=complete_instance)
@click.option(
    "-s", "--solver", metavar="NAME", shell_complete=complete_solver, help="Who makes the schedule [default: exact]."
)
@click.option(
    "--schedule", type=click.Path(allow_dash=True), metavar="FILE", help="A schedule file instead of a solver."
)
@click.option(
    "--time-limit",
    type=SECONDS,
    default=60.0,
    show_default=True,
    metavar="S",
    help="For the solver; inf for none.",
)
@click.option("--gap", type=float, default=1e-4, show_default=True, metavar="G", help="The gap the solver may stop at.")
@cut_options
@click.option(
    "--framework", type=click.Choice(FRAMEWORKS), default="epsl", show_default=True, help="How to train together."
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
def command(
    *,
    instance: str | None,
    solver: str | None,
    schedule: str | None,
    time_limit: float,
    gap: float,
    cut_layers: tuple[str, ...] | None,
    min_cut: str | None,
    framework: str,
    phi: float | None,
    task: str | None,
    network: str | None,
    batch_size: int | None,
    rounds: int | None,
    target_accuracy: float | None,
    evaluate_every: int | None,
    checkpoint_every: int | None,
    backend: str | None,
    seed: int,
    pairs: tuple[str, ...],
    describe: bool,
    output: str | None,
    resume: bool,
    form: str,
    quiet: bool,
) -> int:
    """Train for real under a schedule.

    Trains a network on clients and server as the framework says, with the cut layer of the schedule, and tells how long
    that would take on the instance's devices and radio: simulated time is the sum of the rounds' latencies. The
    schedule comes from a solver or a file. Where the instance's model is not the network that is trained, its profile
    is replaced by the network's.

    \b
    Examples:
      epsl-opt train paper --rounds 50
      epsl-opt train paper --framework psl --target-accuracy 0.9 -o psl
      epsl-opt train paper --phi 1 --solver bcd --option lr=0.05 --rounds 100 -o run
      epsl-opt train paper --phi 1 --solver bcd --option lr=0.05 --rounds 200 -o run --resume
      epsl-opt train --describe

    DIR gets records.csv (one row a round), summary.json, a checkpoint, and the instance and schedule that were used.
    Ctrl-C saves and stops; --resume goes on, bit for bit as if nothing had happened. JSON on standard output is the
    summary, CSV the records. The exit code is 1 if training diverges, 130 if it is interrupted; without a schedule it
    is that of `epsl-opt solve`.
    """
    if describe:
        return _describe(backend or DEFAULT_BACKEND, form)
    _refuse_usage(instance, solver, schedule, output, resume=resume)
    from epsl_opt.cli.train_flow import Wish, train_as
    from epsl_opt.core.framework import Framework

    wish = Wish(
        instance=instance or "",
        solver=solver,
        schedule=schedule,
        cut_layers=cut_layers,
        min_cut=min_cut,
        limits=make_limits(time_limit, gap, 0, None),
        framework=Framework(framework),
        aggregation_ratio=phi,
        batch_size=batch_size,
        task=task or DEFAULT_TASK,
        backend=backend or DEFAULT_BACKEND,
        options=split_options(pairs, network),
        seed=seed,
        goal=make_goal(rounds, target_accuracy, evaluate_every),
        checkpoint_every=checkpoint_rounds(checkpoint_every),
        folder=None if output is None else Path(output),
        resume=resume,
    )
    return train_as(wish, lambda run, document: _print(run, document, form))


def _refuse_usage(
    instance: str | None, solver: str | None, schedule: str | None, output: str | None, *, resume: bool
) -> None:
    if instance is None:
        raise click.UsageError("INSTANCE is missing")
    if solver is not None and schedule is not None:
        raise click.UsageError("--solver and --schedule are two ways to a schedule; give one")
    if instance == schedule == "-":
        raise click.UsageError("INSTANCE and --schedule can't both be standard input")
    if resume and output is None:
        raise click.UsageError("--resume needs --output DIR, the folder of the training")


def _print(run: TrainingRun, document: TrainingDocument, form: str) -> None:
    from epsl_opt.cli.training_view import training_facts
    from epsl_opt.files.training_records import COLUMNS

    if form == "json":
        emit_json(document.to_document())
    elif form == "csv":
        emit_csv(COLUMNS, [record.to_row(run.stages) for record in run.records])
    else:
        emit_tables(training_facts(document))


def _describe(name: str, form: str) -> int:
    from epsl_opt.cli.option_rows import COLUMNS, option_rows
    from epsl_opt.cli.training_view import backend_tables
    from epsl_opt.plugins.registry import load_backend

    backend = load_backend(name)
    rows = option_rows(backend.options_type)
    if form == "json":
        emit_json({"backend": backend.name, "summary": backend.summary, "tasks": backend.tasks(), "options": rows})
    elif form == "csv":
        emit_csv(COLUMNS, rows)
    else:
        emit_tables(*backend_tables(backend))
    return 0
