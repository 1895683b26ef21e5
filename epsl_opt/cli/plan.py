"""`epsl-opt plan`: what to train, so that a target accuracy comes soonest."""

from __future__ import annotations

import click

from epsl_opt.cli.engine_params import engine_options
from epsl_opt.cli.numbers import COUNT, SECONDS, Real
from epsl_opt.cli.params import (
    SeedList,
    cut_options,
    format_option,
    instance_argument,
    packed,
    pairs_option,
    quiet_option,
)
from epsl_opt.cli.plan_arguments import AveragingList, CountList, PlanArguments
from epsl_opt.cli.training_params import FrameworkList, RatioList, complete_backend
from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_PLAN_GAP, DEFAULT_TASK, DEFAULT_TIME_LIMIT_S


@click.command()
@instance_argument
@click.option("-t", "--task", metavar="NAME", help=f"What to learn [default: {DEFAULT_TASK}].")
@click.option("--network", metavar="NAME", help="What to train [default: the task's own].")
@click.option("--target", type=Real(), metavar="A", help="The test accuracy to reach, as a fraction.")
@click.option("--frameworks", type=FrameworkList(), metavar="A,B", help="[default: epsl,psl,sfl,sl]")
@click.option("--phi", type=RatioList(), metavar="0.5,1", help="Aggregation ratios of epsl [default: 0.5,1].")
@cut_options
@click.option("-b", "--batch-size", "batch_sizes", type=CountList(), metavar="4,16", help="Samples per client.")
@click.option(
    "--average-every", type=AveragingList(), metavar="never,5", help="I of epsl and psl [default: never,5,20]."
)
@click.option("--learning-rate", "learning_rates", type=RatioList(), metavar="0.1,0.3", help="Of every framework.")
@click.option("--seeds", type=SeedList(), metavar="0..2", help="Of the pilots of a point [default: 0..2].")
@click.option("-n", "--rounds", type=COUNT, metavar="N", help="The horizon: a pilot's rounds at most [default: 400].")
@click.option("--rounds-table", type=click.Path(), metavar="FILE", help="Rounds to target known already; no pilots.")
@click.option("--quick", is_flag=True, help="A smaller grid, fewer seeds, a nearer horizon, where none are given.")
@click.option("--time-limit", type=SECONDS, default=DEFAULT_TIME_LIMIT_S, show_default=True, help="Of each solve.")
@click.option(
    "--gap",
    type=float,
    default=DEFAULT_PLAN_GAP,
    show_default=True,
    help="Each solve may stop at; the winner is solved again.",
)
@pairs_option("One of the backend's own options, for every pilot")
@click.option(
    "--backend", metavar="NAME", shell_complete=complete_backend, help=f"Who trains [default: {DEFAULT_BACKEND}]."
)
@engine_options("Pilots at a time, each in a process of its own; 1 is in this one [default: one per processor].")
@click.option("-o", "--output", type=click.Path(), metavar="DIR", help="Keep plan, table, picture and pilots here.")
@format_option("table", "json", "csv")
@quiet_option
@packed(PlanArguments)
def command(arguments: PlanArguments) -> int:
    """Find what to train, so that a target accuracy comes soonest.

    Searches framework, aggregation ratio, cut layer, batch size, how often client-side models are averaged, and
    learning rate. What a round takes lies between a certified bound and a schedule's latency; how many rounds it takes
    to the target is learned from pilot trainings, counted to the round, with an interval from their seeds. A point
    whose least rounds times its bound exceed what the best point takes at most gets no further pilots.

    \b
    Examples:
      epsl-opt plan paper --task digits --target 0.9 --quick
      epsl-opt plan paper --target 0.9 --frameworks epsl,psl --phi 0.25,0.5,1 --batch-size 4,16 -o plan
      epsl-opt plan paper:clients=20,subchannels=20 --target 0.9 --average-every never,5,10 --jobs 2 -o plan
      epsl-opt plan cell.json --rounds-table measured.csv

    The certificate holds for the grid, and if the rounds to target lie in the intervals that are told. A point that
    has not reached the target within the horizon is censored: its time is at least so long, and nothing more is known.
    `--rounds-table FILE` takes rounds from your own experiments (CSV or JSON with framework, aggregation_ratio,
    cut_layer, batch_size, average_every, learning_rate, rounds, rounds_low, rounds_high).

    DIR gets plan.json, points.csv, the winner's instance.json and schedule.json, plan.png and plan.svg, and pilots/,
    from which the same command goes on. The command printed trains the winner. The exit code is 4 if no point is known
    to reach the target, 130 if the search is interrupted.
    """
    from epsl_opt.cli.plan_flow import make_plan

    return make_plan(arguments)
