"""Options that say where the runs of a campaign are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from epsl_opt.cli.numbers import COUNT
from epsl_opt.cli.params import CommandT, Decorator
from epsl_opt.core.defaults import DASK, ENGINES, LOCAL

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from epsl_opt.campaigns.engines import Engine
    from epsl_opt.core.stop_request import StopRequest


def engine_options(jobs_help: str) -> Decorator:
    """Add `--jobs`, `--engine` and `--scheduler`."""

    def add(command: CommandT) -> CommandT:
        options = (
            click.option("--jobs", type=COUNT, metavar="N", help=jobs_help),
            click.option("--engine", type=click.Choice(ENGINES), default=LOCAL, show_default=True, help=_ENGINE),
            click.option("--scheduler", metavar="ADDRESS", help="Of the Dask scheduler, such as tcp://10.0.0.1:8786."),
        )
        for option in reversed(options):
            command = option(command)
        return command

    return add


_ENGINE = "Where runs are made: on this machine, or on a Dask cluster."


def chosen_engine(
    engine: str, jobs: int | None, scheduler: str | None, threads: int | None = None, *, here: bool = False
) -> Engine:
    """Return the engine that was asked for; if `here`, this process where one local job is.

    Raises
    ------
    click.UsageError
        If --scheduler and --engine don't fit.
    InputError
        If the engine can't be used.
    """
    from epsl_opt.campaigns.engines import open_engine

    if engine == DASK and scheduler is None:
        raise click.UsageError("--engine dask needs --scheduler ADDRESS")
    if engine != DASK and scheduler is not None:
        raise click.UsageError("--scheduler is for --engine dask")
    return open_engine(engine, jobs, scheduler, threads, here=here)


def heard_interrupts(engine: Engine) -> AbstractContextManager[StopRequest]:
    """Return a block in which Ctrl-C asks trainings of this process to stop; those of others end by it."""
    from contextlib import nullcontext

    from epsl_opt.campaigns.engines import ThisProcess
    from epsl_opt.core.stop_request import StopRequest, deferred_interrupt

    return deferred_interrupt() if isinstance(engine, ThisProcess) else nullcontext(StopRequest())
