"""`epsl-opt compare`: every solver on every instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from epsl_opt.cli.engine_params import chosen_engine, engine_options
from epsl_opt.cli.exits import ExitCode, exit_code, worst
from epsl_opt.cli.messages import complain, going_on, note, warn
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import (
    SeedList,
    SolverList,
    complete_instance,
    cut_options,
    format_option,
    is_configured,
    limit_options,
    make_limits,
    no_bound_option,
    packed,
    pairs_option,
    quiet_option,
)
from epsl_opt.cli.progress import live_progress
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.training_params import (
    FRAMEWORKS,
    CompareTrainArguments,
    FrameworkList,
    RatioList,
    is_training,
    training_options,
)
from epsl_opt.core.defaults import DEFAULT_FRAMEWORKS, DEFAULT_SOLVER
from epsl_opt.core.framework import Framework
from epsl_opt.core.outcome import StopReason

if TYPE_CHECKING:
    from epsl_opt.campaigns.compare import Comparison
    from epsl_opt.campaigns.engines import Engine
    from epsl_opt.campaigns.ranking import RunRow
    from epsl_opt.core.instance import Instance
    from epsl_opt.core.results import Limits
    from epsl_opt.problems.library import BestKnown

OptionsByOwner = dict[str, dict[str, str]]

_SOLVERS_HELP = f"Solvers by name [default: all; with --train {DEFAULT_SOLVER}]."
_SAME_HELP = "Train all frameworks under schedules for (E)PSL, not each under its own best."
_FRAMEWORKS_HELP = f"How to train [default: {','.join(DEFAULT_FRAMEWORKS)}]."


@click.command()
@click.argument("instances", metavar="INSTANCE...", nargs=-1, required=True, shell_complete=complete_instance)
@click.option("--solvers", type=SolverList(), metavar="A,B,C", help=_SOLVERS_HELP)
@click.option(
    "--framework",
    type=click.Choice(FRAMEWORKS),
    help="Whose round is minimised [default: the instance's]; not for --train.",
)
@click.option("--seeds", type=SeedList(), metavar="0..4", help="Draw every scenario among the instances once per seed.")
@cut_options
@limit_options
@pairs_option("A solver's own option", metavar="SOLVER.K=V")
@no_bound_option
@engine_options("Runs at a time [default: 1, in this process; with dask one per worker].")
@click.option("--train", is_flag=True, help="Train for real under the schedules, too; what follows is for that.")
@click.option("--frameworks", type=FrameworkList(), metavar="A,B", help=_FRAMEWORKS_HELP)
@click.option("--same-schedule", is_flag=True, help=_SAME_HELP)
@click.option("--phi", type=RatioList(), metavar="0.5,1", help="Aggregation ratios of epsl [default: the instance's].")
@click.option("--train-seeds", type=SeedList(), metavar="0..2", help="Train once per seed [default: 0].")
@training_options
@click.option("-o", "--output", type=click.Path(), metavar="DIR", help="Keep runs, tables, schedules, pictures here.")
@format_option("table", "json", "csv")
@quiet_option
@packed(CompareTrainArguments)
def command(
    training: CompareTrainArguments,
    *,
    instances: tuple[str, ...],
    solvers: tuple[str, ...] | None,
    framework: str | None,
    seeds: tuple[int, ...] | None,
    time_limit: float,
    gap: float,
    seed: int,
    threads: int | None,
    pairs: tuple[str, ...],
    no_bound: bool,
    jobs: int | None,
    engine: str,
    scheduler: str | None,
    train: bool,
    output: str | None,
    form: str,
    quiet: bool,
) -> int:
    """Run every solver on every instance and rank them.

    Runs come in a table by latency, each with its gap to the best bound that any solver proved (or that the instance
    library knows). Where nobody proved one, a bound is proved beside the solvers, in a tenth of the time limit at most;
    --no-bound leaves that out. Only verified schedules score. --seeds draws instances: `paper --seeds 0..4` are five
    instances; files and library instances stay as they are. --seed is the solvers' own.

    \b
    Examples:
      epsl-opt compare paper
      epsl-opt compare paper --seeds 0..29 --solvers greedy,bcd,local-search --output results
      epsl-opt compare a.json b.json --option bcd.max_sweeps=10 --format csv

    With --train, every framework is trained for real under the schedules of --solvers (exact, if not given); the table
    has rounds and simulated seconds to the target, accuracy and bits. `train.K=V` is an option of the training
    backend, `train.FRAMEWORK.K=V` one for a single framework (`epsl-opt train --describe` lists them).
    --average-every is for epsl and psl, and leaves the other frameworks as they are. Every framework has the schedule
    that is best for its own round; with --same-schedule all have one for (E)PSL.

    \b
      epsl-opt compare paper --train --rounds 100 --output trained
      epsl-opt compare paper --train --frameworks epsl,psl --phi 0.5,1 --target-accuracy 0.9 --option train.psl.lr=0.1

    With --output, every finished run is kept in DIR/runs and not run again by the same command: stop it with Ctrl-C,
    start it again, and it goes on. DIR also gets comparison.csv, comparison.json, schedules/ and pictures/.

    With --jobs, runs are made side by side, each in a process of its own on --threads threads (1, if not given); with
    --engine dask, on the workers of a Dask cluster. A run whose process ends is tried once more, then it is an error.

    \b
      epsl-opt compare paper --seeds 0..29 --jobs 8 --output results
      epsl-opt compare paper --seeds 0..29 --engine dask --scheduler tcp://10.0.0.1:8786 --output results

    The exit code is 0 if every run is verified or unsupported, else the first of these that applies to a run:
    130 interrupted, 1 error (or a training that diverged), 5 rejected, 4 no schedule, 3 infeasible.
    """
    from epsl_opt.campaigns.ranking import rank
    from epsl_opt.core.cut_limits import limit_cuts
    from epsl_opt.core.framework_choice import choose_framework
    from epsl_opt.files.folder_lock import locked

    if not train:
        _refuse_training_options()
    elif framework is not None:
        raise click.UsageError("--framework is not for --train, which takes --frameworks")
    limits = make_limits(time_limit, gap, seed, threads)
    problems = load_instances(instances, seeds)
    folder = None if output is None else Path(output)
    options = _own(split_solver_pairs(pairs), solvers, train=train)
    with locked(folder):
        with chosen_engine(engine, jobs, scheduler, threads, here=True) as where:
            if train:
                from epsl_opt.cli.compare_train import compare_trainings

                return compare_trainings(problems, solvers, limits, options, training, folder, form, where)
            named = None if framework is None else Framework(framework)
            problems = [choose_framework(problem, named, training.average_every) for problem in problems]
            problems = [limit_cuts(problem, training.cut_layers, training.min_cut) for problem in problems]
            comparison = _compare(problems, solvers, limits, options, folder, where)
        known = _best_known(comparison.instances)
        bounds = {key: best.bound_s for key, best in known.items() if best.bound_s is not None}
        if not no_bound:
            bounds |= _bounds_beside(comparison, bounds, limits)
        rows = rank(comparison.documents, bounds)
        _tell_records(rows, known)
        _print(rows, form)
        if folder is not None and rows:
            from epsl_opt.report.comparison_files import write_comparison

            write_comparison(folder, comparison, rows)
            note(f"wrote {folder}")
    return _finish(comparison, rows, output)


def _refuse_training_options() -> None:
    """Raise if what only --train understands stands on the command line without it; a file may hold it for others."""
    ctx = click.get_current_context()
    training = {field.name for field in fields(CompareTrainArguments)} - {"cut_layers", "min_cut", "average_every"}
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if name in training and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[-1]} is for --train")


def load_instances(sources: Sequence[str], seeds: Sequence[int] | None) -> list[Instance]:
    """Return the instances of a campaign; scenarios once per seed, if seeds are given.

    Raises
    ------
    InputError
        If a source is wrong, or seeds are given and there is no scenario to draw, or it has a seed already.
    """
    from epsl_opt.core.errors import InputError
    from epsl_opt.problems.sources import load_instance

    specs = [spec for source in sources for spec in _with_seeds(source, seeds)]
    if seeds is not None and len(specs) == len(sources) and list(sources) == specs:
        raise InputError("--seeds", "none of the instances is a scenario to draw from")
    found = {instance.sha256: instance for instance in map(load_instance, specs)}
    if len(found) < len(specs):
        warn(f"{len(specs) - len(found)} of {len(specs)} instances are equal to others and run once")
    return list(found.values())


def split_solver_pairs(pairs: Sequence[str]) -> OptionsByOwner:
    """Return solver -> options from `SOLVER.K=V` texts.

    Raises
    ------
    InputError
        If a text has another form.
    """
    from epsl_opt.core.errors import InputError
    from epsl_opt.core.options import split_pairs

    options: OptionsByOwner = {}
    for key, value in split_pairs(pairs, "compare").items():
        solver, dot, name = key.rpartition(".")
        if not dot or not solver or not name:
            raise InputError("compare", f"must be SOLVER.KEY=VALUE, got {key + '=' + value!r}", "option")
        options.setdefault(solver, {})[name] = value
    return options


def _own(options: OptionsByOwner, solvers: Sequence[str] | None, *, train: bool) -> OptionsByOwner:
    """Return the options but those that a configuration file has for solvers, or trainings, that are not to run now."""
    from epsl_opt.plugins import registry

    if not is_configured("pairs"):
        return options
    idle = set() if solvers is None else set(registry.names(registry.SOLVERS)) - set(solvers)
    return {owner: own for owner, own in options.items() if owner not in idle and (train or not is_training(owner))}


def _with_seeds(source: str, seeds: Sequence[int] | None) -> Iterator[str]:
    from epsl_opt.core.errors import InputError
    from epsl_opt.core.reading import is_readable
    from epsl_opt.plugins import registry

    name, _, options = source.partition(":")
    is_scenario = name in registry.names(registry.SCENARIOS) and not is_readable(source)
    if seeds is None or not is_scenario:
        yield source
        return
    if any(pair.partition("=")[0].strip() == "seed" for pair in options.split(",")):
        raise InputError(source, "has a seed, and --seeds gives others")
    for seed in seeds:
        yield f"{name}:{options}{',' if options else ''}seed={seed}"


def _compare(
    problems: Sequence[Instance],
    solvers: Sequence[str] | None,
    limits: Limits,
    options: OptionsByOwner,
    folder: Path | None,
    engine: Engine,
) -> Comparison:
    from epsl_opt.campaigns.compare import compare

    runs = None if folder is None else folder / "runs"
    with live_progress() as line, stdout_to_stderr():
        return compare(problems, solvers, limits=limits, options=options, folder=runs, observer=line, engine=engine)


def _best_known(instances: Sequence[Instance]) -> dict[str, BestKnown]:
    """Return what the library knows of the instances that are its own in name and content, by sha256."""
    from epsl_opt.problems import library

    named = {instance.name: instance for instance in instances}
    ours = [named[name] for name in named.keys() & set(library.names())]
    return {one.sha256: library.best_known(one.name) for one in ours if library.load(one.name).sha256 == one.sha256}


def _bounds_beside(comparison: Comparison, known: Mapping[str, float], limits: Limits) -> dict[str, float]:
    """Bounds of the instances that have a verified schedule and nobody's bound, by sha256."""
    from epsl_opt.solving.certificate import bound_beside_s

    bounded = {run.instance.sha256 for run in comparison.documents if run.bound_s is not None} | known.keys()
    solved = {run.instance.sha256 for run in comparison.documents if run.latency_s is not None}
    found: dict[str, float] = {}
    with live_progress() as line, stdout_to_stderr():
        for instance in comparison.instances:
            if instance.sha256 in solved - bounded:
                line.start(f"lower bound of {instance.name}")
                if (bound_s := bound_beside_s(instance, limits.time_s)) is not None:
                    found[instance.sha256] = bound_s
    return found


def _tell_records(rows: Sequence[RunRow], known: Mapping[str, BestKnown]) -> None:
    """Say which runs are better than the library's best known result, or show that its bound is wrong."""
    from epsl_opt.core.checker import RELATIVE_TOLERANCE, check_bound

    for row in rows:
        best = known.get(row.instance_sha256)
        if best is None or row.latency_s is None:
            continue
        if best.bound_s is not None and check_bound(best.bound_s, row.latency_s):
            warn(f"{row.instance}: {row.solver}'s verified schedule refutes the library's bound of {best.bound_s!r} s")
        if best.latency_s is not None and row.latency_s < best.latency_s * (1 - RELATIVE_TOLERANCE):
            note(
                f"{row.instance}: {row.solver} is better than the best known, {best.latency_s!r} s: {row.latency_s!r} s"
            )


def _print(rows: Sequence[RunRow], form: str) -> None:
    from epsl_opt.campaigns.ranking import run_columns
    from epsl_opt.cli.comparison_view import comparison_tables

    records = [row.to_dict() for row in rows]
    if form == "json":
        emit_json(records)
    elif form == "csv":
        emit_csv(run_columns(rows), records)
    else:
        emit_tables(*comparison_tables(rows))


def _finish(comparison: Comparison, rows: Sequence[RunRow], output: str | None) -> int:
    """Say what was reused or is missing, and return the exit code."""
    if comparison.reused:
        note(f"{comparison.reused} of {comparison.planned} runs were there already")
    if comparison.interrupted:
        complain(f"interrupted after {len(rows)} of {comparison.planned} runs; {going_on(output)}")
        return ExitCode.INTERRUPTED
    return worst(
        exit_code(row.status, row.stop_reason) for row in rows if row.stop_reason is not StopReason.UNSUPPORTED
    )
