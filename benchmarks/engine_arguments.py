"""Arguments that say where the runs of a benchmark are made."""

from __future__ import annotations

import argparse

from epsl_opt.campaigns.engines import ENGINES, LOCAL, Engine, open_engine


def add_engine_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--jobs`, with what it is by default, `--engine` and `--scheduler`."""
    parser.add_argument("--jobs", type=at_least_1, metavar="N", help=f"runs at a time (default: {default})")
    parser.add_argument("--engine", choices=ENGINES, default=LOCAL, help="where runs are made (default: local)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of the Dask scheduler")


def chosen_engine(args: argparse.Namespace, *, here: bool) -> Engine:
    """Return the engine; if `here`, this process unless more is asked for.

    Raises
    ------
    InputError
        If it can't be used.
    """
    return open_engine(args.engine, args.jobs, args.scheduler, here=here)


def at_least_1(text: str) -> int:
    """Return the number that an argument says, refusing those below 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number
