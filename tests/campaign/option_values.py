"""Random values for the options and arguments of a command line, good ones and nasty ones."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from campaign.faults import Fault, FaultKind
from campaign.nasty import NUMBERS, TEXTS

NASTY_SHARE = 0.6

HUGE = 10_000
"""Whole numbers from here on may ask for hours of honest work; they are given where that is no danger."""

BY_METAVAR = {
    "INSTANCE": (
        "instance.json",
        "paper:clients=2,subchannels=3",
        "schedule.json",
        "link.json",
        "folder",
        "missing.json",
    ),
    "INSTANCE...": ("instance.json", "paper:clients=2,subchannels=3", "schedule.json"),
    "SCHEDULE": ("schedule.json", "instance.json", "link.json", "missing.json", "folder"),
    "SOURCE": ("schedule.json", "instance.json"),
    "SCENARIO": ("paper:clients=2,subchannels=3", "paper", "tiny"),
    "MODEL": ("mlp", "cnn", "lenet5", "mlp:width=8", "os:getcwd", "nowhere:nothing"),
    "SHAPE": ("1,8,8", "3,32,32", "64", "1,1,1"),
    "DIR": ("folder", "new", "studies", "instance.json", "folder/new"),
    "FILE": (
        "out.json",
        "new/out.json",
        "folder",
        "link.json",
        "null",
        "link-null",
        "full",
        "out.png",
        "out.svg",
        "out.pdf",
    ),
    "A,B": ("avgpool", "layer1.0,avgpool", "fc1"),
    "A,B,C": ("greedy", "greedy,bcd", "greedy,greedy", ","),
    "NAME": (
        "greedy",
        "bcd",
        "local-search",
        "exact",
        "baseline-a",
        "toy",
        "torch",
        "plane",
        "digits",
        "mlp",
        "squares",
    ),
    "[NAME]...": ("squares",),
    "0..4": ("0", "0..1", "3,1", "1..0"),
    "0..2": ("0", "0..1"),
    "0.5,1": ("0.5", "0.5,1", "0,0"),
    "FORMAT": ("csv", "clients-csv", "parquet", "lp", "mps", "nl", "gms"),
    "FORM": ("milp", "minlp"),
    "I": ("1", "2", "30"),
    "J": ("0", "1", "3"),
    "G": ("0", "0.01", "1e-9", "0.9999", "1", "5"),
    "S": ("0.1", "1", "1e-9", "inf"),
    "N": ("1", "2", "3"),
    "K": ("1", "2"),
    "P": ("0", "0.5", "1", "31"),
    "B": ("1", "4", "64"),
}
"""What stands for a value in help -> good values, or nearly good ones."""

PATHS = (
    "",
    ".",
    "..",
    "/",
    "/nowhere/x",
    "new/deep/x.json",
    "x" * 300 + ".json",
    "out",
    "é漢\u202e.json",
    "a\nb.json",
    "\x1b[2J",
)
"""For options that take a path; none names anything outside the folder of the trial that exists and can be replaced."""


def make_places(folder: Path) -> None:
    """Make what the good paths name beside files: a folder, a link, devices that take everything and nothing.

    The devices are nodes of their own: what replaces them by mistake does no harm to the machine. Where nodes can't be
    made, there are none.
    """
    (folder / "folder").mkdir()
    (folder / "target.json").write_text("{}")
    (folder / "link.json").symlink_to("target.json")
    with contextlib.suppress(OSError):
        os.mknod(folder / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(folder / "full", stat.S_IFCHR | 0o666, os.makedev(1, 7))
        (folder / "link-null").symlink_to("null")


def replaced(folder: Path, where: str) -> Iterator[Fault]:
    """Yield a fault for every device or link among the places that is no longer one."""
    for name in ("null", "full"):
        if (folder / name).exists() and not (folder / name).is_char_device():
            yield Fault(FaultKind.REPLACED, where, f"{name} was a device")
    if not (folder / "link.json").is_symlink():
        yield Fault(FaultKind.REPLACED, where, "link.json was a link")


def value(rng: np.random.Generator, parameter: click.Parameter, pairs: Sequence[str]) -> str:
    """Return a random value for an option or argument.

    Parameters
    ----------
    rng
        Source of the draw.
    parameter
        Of click's command.
    pairs
        `K=V` pairs that some command knows.
    """
    kind = parameter.type
    metavar = getattr(parameter, "metavar", None) or ""
    if metavar.endswith("K=V"):
        return _pair(rng, metavar, pairs)
    if rng.uniform() >= NASTY_SHARE and (good := _good(kind, metavar)):
        return _one(rng, good)
    if isinstance(kind, click.Path):
        return _one(rng, PATHS)
    if rng.uniform() < 0.7 and isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return _one(rng, _numbers(kind))
    return _one(rng, TEXTS)


def _good(kind: click.ParamType, metavar: str) -> Sequence[str]:
    return [str(choice) for choice in kind.choices] if isinstance(kind, click.Choice) else BY_METAVAR.get(metavar, ())


def _numbers(kind: click.ParamType) -> Sequence[str]:
    """Numbers as text, without whole ones that ask for more work than a campaign has time for."""
    if isinstance(kind, click.types.FloatParamType):
        return (*NUMBERS, "nan", "inf", "-inf")
    return [text for text in NUMBERS if not text.isdigit() or int(text[:30]) < HUGE or len(text) > 15]


def _pair(rng: np.random.Generator, metavar: str, pairs: Sequence[str]) -> str:
    """Return `K=V`: a key that is known with a nasty value, or text."""
    if rng.uniform() < 0.1:
        return _one(rng, TEXTS)
    key, _, default = _one(rng, pairs).partition("=")
    owner = f"{_one(rng, ('greedy', 'bcd', 'exact', 'train', 'train.epsl'))}." if "." in metavar else ""
    nasty = (*TEXTS, *(number for number in NUMBERS if not number.isdigit() or int(number[:30]) < HUGE), "nan", "inf")
    return f"{owner}{key}={_one(rng, nasty) if rng.uniform() < NASTY_SHARE else default}"


def _one(rng: np.random.Generator, values: Sequence[str]) -> str:
    return values[int(rng.integers(len(values)))]
