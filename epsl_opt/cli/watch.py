"""`epsl-opt solve --watch`: schedules for instance files as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from epsl_opt.cli.messages import complain, note
from epsl_opt.cli.numbers import COUNT, SECONDS
from epsl_opt.cli.output import emit
from epsl_opt.cli.params import CommandT
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.units import number
from epsl_opt.core.defaults import DEADLINE_S

if TYPE_CHECKING:
    from epsl_opt.core.instance import Instance
    from epsl_opt.core.results import Limits
    from epsl_opt.solving.live import Rescheduler
    from epsl_opt.solving.watch import Reaction

COLUMNS = (
    "file",
    "output",
    "status",
    "stop_reason",
    "latency_s",
    "start",
    "reaction_s",
    "missed",
    "wait_s",
    "read_s",
    "build_s",
    "solve_s",
    "judge_s",
    "write_s",
    "skipped",
)
"""Of JSON lines and CSV."""

_DEADLINE_HELP = "With --watch: seconds from a file's arrival to its schedule; solvers are stopped in time."

_OPTIONS = (
    click.option("--watch", type=click.Path(), metavar="DIR", help="Solve the instance files that come into DIR."),
    click.option("--deadline", type=SECONDS, default=DEADLINE_S, show_default=True, metavar="S", help=_DEADLINE_HELP),
    click.option("--every", is_flag=True, help="With --watch: solve every file, even if newer ones wait."),
    click.option("--cold", is_flag=True, help="With --watch: start every solve from scratch."),
    click.option("--watch-count", type=COUNT, metavar="N", help="With --watch: end after N results."),
    click.option("--until-empty", is_flag=True, help="With --watch: end when no file is left."),
)


@dataclass(frozen=True, kw_only=True)
class WatchArguments:
    """What `solve` takes for `--watch`, as it is on the command line."""

    watch: str | None
    deadline: float
    every: bool
    cold: bool
    watch_count: int | None
    until_empty: bool


def watch_options(command: CommandT) -> CommandT:
    """Add `--watch` and the options that go with it."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_watch_options() -> None:
    """Raise if what only --watch understands stands on the command line without it.

    Raises
    ------
    click.UsageError
        Naming the option.
    """
    ctx = click.get_current_context()
    for name in (field.name for field in fields(WatchArguments)):
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} is for --watch")


def run_watch(
    watched: Path,
    output: str | None,
    rescheduler: Rescheduler,
    limits: Limits,
    prepare: Callable[[Instance], Instance],
    arguments: WatchArguments,
    form: str,
) -> int:
    """React to files until told to stop; tell of each on stdout, and in the end how quick it was."""
    from epsl_opt.core.stop_request import deferred_interrupt
    from epsl_opt.solving.arrivals import Folder
    from epsl_opt.solving.watch import Station, refuse_same_folder
    from epsl_opt.solving.watch import watch as reactions

    if output is None:
        raise click.UsageError("--watch needs --output, a folder for the schedules")
    if not arguments.deadline > 0:
        raise click.UsageError(f"--deadline must be greater than 0, got {arguments.deadline}")
    folder = Folder(watched, arguments.every, prepare)
    refuse_same_folder(watched, Path(output))
    station = Station(rescheduler, Path(output), limits, arguments.deadline)
    most = arguments.watch_count
    tally = _Tally(form, arguments.deadline)
    with deferred_interrupt() as request:

        def stop() -> bool:
            return request.made or (most is not None and len(tally.reactions_s) >= most)

        loop = reactions(folder, station, stop, arguments.until_empty)
        while True:
            with stdout_to_stderr():
                reaction = next(loop, None)
            if reaction is None:
                break
            tally.tell(reaction)
    note(tally.summary(folder.faults))
    return 0


class _Tally:
    """Prints a line per reaction and remembers what the summary needs."""

    def __init__(self, form: str, deadline_s: float) -> None:
        self._form, self._deadline_s = form, deadline_s
        self.reactions_s: list[float] = []
        self._schedules = self._warm = self._skipped = 0

    def tell(self, reaction: Reaction) -> None:
        record = _record(reaction, self._deadline_s)
        if self._form == "json":
            emit(json.dumps(record, allow_nan=False) + "\n")
        elif self._form == "csv":
            from epsl_opt.files.csv_text import format_csv

            text = format_csv(COLUMNS, [record])
            emit(text if not self.reactions_s else text.partition("\n")[2])
        else:
            emit(_line(reaction, self._deadline_s))
        if reaction.output is None:
            complain(f"{reaction.source}: no schedule ({reaction.result.stop_reason}): {reaction.result.message}")
        self.reactions_s.append(reaction.reaction_s)
        self._schedules += reaction.output is not None
        self._warm += reaction.warm
        self._skipped += reaction.skipped

    def summary(self, faults: int) -> str:
        """Count, and give quantiles of the reaction times."""
        import numpy as np

        counts = f"{self._schedules} schedules, {self._warm} from the one before"
        counts += f"; {self._skipped} files left out as stale, {faults} as unreadable"
        if not self.reactions_s:
            return counts
        p50, p99, longest = (1e3 * float(np.quantile(self.reactions_s, q)) for q in (0.5, 0.99, 1.0))
        missed = sum(reaction_s > self._deadline_s for reaction_s in self.reactions_s)
        counts += f"; {missed} of {len(self.reactions_s)} missed the deadline of {1e3 * self._deadline_s:g} ms"
        return f"{counts}; reaction p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.1f} ms"


def _record(reaction: Reaction, deadline_s: float) -> dict[str, str | float | None]:
    result = reaction.result
    return {
        "file": str(reaction.source),
        "output": None if reaction.output is None else str(reaction.output),
        "status": str(result.status),
        "stop_reason": str(result.stop_reason),
        "latency_s": result.latency_s,
        "start": "warm" if reaction.warm else "cold",
        "reaction_s": reaction.reaction_s,
        "missed": reaction.reaction_s > deadline_s,
        "wait_s": reaction.wait_s,
        "read_s": reaction.read_s,
        "build_s": result.build_s,
        "solve_s": result.solve_s,
        "judge_s": reaction.judge_s,
        "write_s": reaction.write_s,
        "skipped": reaction.skipped,
    }


def _line(reaction: Reaction, deadline_s: float) -> str:
    result, reaction_ms = reaction.result, 1e3 * reaction.reaction_s
    parts = {
        "wait": reaction.wait_s,
        "read": reaction.read_s,
        "build": result.build_s,
        "solve": result.solve_s,
        "judge": reaction.judge_s,
        "write": reaction.write_s,
    }
    times = " + ".join(f"{part} {1e3 * time_s:.1f}" for part, time_s in parts.items())
    late_ms = 1e3 * (reaction.reaction_s - deadline_s)
    missed = f"  MISSED the deadline by {late_ms:.1f} ms" if late_ms > 0 else ""
    left_out = f"  ({reaction.skipped} stale)" if reaction.skipped else ""
    latency = str(result.stop_reason) if result.latency_s is None else f"{number(result.latency_s)} s"
    start = "warm" if reaction.warm else "cold"
    return f"{reaction.source.name}  {latency}  {start}  {reaction_ms:.1f} ms = {times}{left_out}{missed}\n"
