"""Random values through every option of every command, found in click's own tree, so that new ones are tried, too."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np

from campaign.command import draw_surroundings, run_command
from campaign.faults import Fault
from campaign.judging import command_faults
from campaign.option_values import make_places, replaced, value
from campaign.part import Part, Trial
from campaign.tree import broken, leftovers, lost, snapshot
from epsl_opt.cli.app import cli

LEFT_OUT = {
    "--all": "runs every study, for hours",
    "--engine": "looks for a cluster, and waits",
    "--scheduler": "looks for a cluster, and waits",
    "--watch": "waits for files for ever, unless --until-empty is given",
    "--train": "trains in processes of its own for minutes",
    "--jobs": "starts processes, and asks for as many as wanted",
}
"""Option -> why it is not given at random; some are given with care below."""

BASES: dict[str, Sequence[Sequence[str]]] = {
    "solve": (
        ("instance.json", "-s", "greedy"),
        ("instance.json", "-s", "bcd"),
        ("instance.json", "-s", "local-search", "--time-limit", "1"),
        ("instance.json", "--time-limit", "1"),
        ("instance.json", "-s", "convex", "--time-limit", "1"),
        ("--watch", "live", "--until-empty", "-s", "greedy", "-o", "schedules"),
    ),
    "compare": (
        ("instance.json", "--solvers", "greedy,bcd", "--time-limit", "1"),
        ("instance.json", "--solvers", "greedy", "--time-limit", "1", "-o", "new"),
    ),
    "train": (
        ("instance.json", "-s", "greedy", "--backend", "toy", "-t", "plane", "-n", "2"),
        ("instance.json", "-s", "greedy", "-n", "1", "-b", "4"),
        ("instance.json", "-s", "greedy", "--backend", "toy", "-t", "plane", "-n", "2", "-o", "new"),
    ),
    "study": (("squares", "--quick", "--jobs", "1"), ()),
    "report": (("studies",), ("folder",)),
    "check": (("instance.json", "schedule.json"),),
    "generate": (("paper:clients=2,subchannels=3",), ("paper",)),
    "show": (("instance.json",), ("schedule.json",)),
    "profile": (("mlp", "--input", "1,8,8"), ("cnn", "--input", "1,8,8", "--measure", "-b", "2")),
    "plot": (("schedule.json", "-o", "out.svg"), ("schedule.json", "-o", "out.png", "--kind", "allocation")),
    "export": (("schedule.json",), ("instance.json", "--to", "lp")),
}
"""Command -> beginnings of a command line that keep its work small; random options come after them."""

WEIGHTS = {"study": 0.1, "compare": 0.7, "train": 1.0, "solve": 3.0, "generate": 3.0, "plot": 0.5}

NEEDS = ("instance.json", "schedule.json", "studies")


class CommandLines(Part):
    """Random command lines."""

    name = "options"
    title = "random values through every option of every command"
    share = 0.32

    def prepare(self, workshop: Path) -> None:
        """Make the files that commands read."""
        make_small_files()

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Run one random command line."""
        for name in NEEDS:
            source = trial.workshop / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, trial.folder / name)
        make_places(trial.folder)
        (trial.folder / "live").mkdir()
        shutil.copy("instance.json", "live")
        arguments = command_line(trial.rng)
        before = snapshot(trial.folder)
        outcome = run_command(arguments, around=draw_surroundings(trial.rng))
        after = snapshot(trial.folder)
        Path("COMMAND").write_text(f"{outcome.line}\n{outcome.around}\n", errors="backslashreplace")
        faults = [
            *command_faults(outcome),
            *leftovers(before, after, outcome.line),
            *replaced(trial.folder, outcome.line),
        ]
        if outcome.code == 0:
            faults += broken(before, after, outcome.line)
        elif outcome.code == 2:
            faults += lost(before, after, outcome.line)
        return faults


def make_small_files() -> None:
    """Make the files in `NEEDS` in the working directory."""
    run_command(["generate", "paper:clients=3,subchannels=5", "-o", "instance.json"])
    run_command(["solve", "instance.json", "-o", "schedule.json"])
    run_command(["study", "squares", "--quick", "--jobs", "1", "-o", "studies"], interrupt_after_s=100)


def command_line(rng: np.random.Generator) -> list[str]:
    """Return the arguments of a random command line."""
    tree = commands()
    weights = np.array([WEIGHTS.get(name, 1.0) for name in tree])
    name = list(tree)[int(rng.choice(len(tree), p=weights / weights.sum()))]
    command = tree[name]
    arguments = [*_global(rng), name, *_beginning(rng, command)]
    options = [
        parameter for parameter in command.params if isinstance(parameter, click.Option) and not _left_out(parameter)
    ]
    for _ in range(int(rng.choice([0, 1, 1, 2, 3])) if options else 0):
        arguments += _given(rng, options[int(rng.integers(len(options)))])
    return [argument.replace("\x00", "") for argument in arguments]


def _global(rng: np.random.Generator) -> list[str]:
    """Options before the command, rarely."""
    options = [parameter for parameter in cli.params if isinstance(parameter, click.Option)]
    return _given(rng, options[int(rng.integers(len(options)))]) if rng.uniform() < 0.03 else []


def _beginning(rng: np.random.Generator, command: click.Command) -> list[str]:
    """Arguments that keep the work small, or random ones."""
    bases = BASES.get(command.name or "", ())
    if bases and rng.uniform() < 0.8:
        return [*bases[int(rng.integers(len(bases)))]]
    positional = [parameter for parameter in command.params if isinstance(parameter, click.Argument)]
    drawn = [value(rng, parameter, pairs()) for parameter in positional]
    limited = any("--time-limit" in parameter.opts for parameter in command.params)
    rounds = any("--rounds" in parameter.opts for parameter in command.params)
    return [
        *drawn,
        *(("--time-limit", "1") if limited else ()),
        *(("--rounds", "1") if rounds and command.name == "train" else ()),
    ]


def _given(rng: np.random.Generator, option: click.Option) -> list[str]:
    name = option.opts[int(rng.integers(len(option.opts)))]
    return [name] if option.is_flag else [name, value(rng, option, pairs())]


def _left_out(option: click.Option) -> bool:
    return any(name in LEFT_OUT for name in option.opts)


@cache
def commands() -> dict[str, click.Command]:
    """Return every command by name."""
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


@cache
def pairs() -> tuple[str, ...]:
    """Return `K=V` pairs, V being the default, of every option that a plug-in declares."""
    solvers = [row["solver"] for row in _listed("solvers")]
    lists = [_listed("solvers", name) for name in solvers]
    lists += [_listed("generate", "paper", "--describe"), _listed("train", "--describe")]
    lists += [_listed("train", "--describe", "--backend", "toy")]
    rows = [row for found in lists for row in _option_rows(found)]
    return tuple(dict.fromkeys(f"{row['option']}={'' if row['default'] is None else row['default']}" for row in rows))


def _listed(*arguments: str) -> Any:
    return json.loads(run_command([*arguments, "--format", "json"], interrupt_after_s=300).stdout)


def _option_rows(found: Any) -> Iterator[dict[str, Any]]:
    rows = found["options"] if isinstance(found, dict) else found
    yield from (row for row in rows if "option" in row)
