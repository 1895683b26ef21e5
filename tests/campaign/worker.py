"""A process that tries one input after the other: what it does to itself, the process that watches it survives."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from campaign import toys
from campaign.faults import Fault, FaultKind
from campaign.part import Part, Trial, generator
from campaign.parts import load

MEMORY_BYTES = 16 * 2**30
"""Of addresses; what asks for more gets a MemoryError instead of the machine."""

PREPARE = -1
"""In place of an input's number: make the workshop."""


def work(connection: Connection, name: str, seed: int, workshop: Path, output: Path) -> None:
    """Try the inputs whose numbers come over the connection; send back the faults of each."""
    _settle(workshop)
    part = load(name)
    while (number := connection.recv()) is not None:
        if number == PREPARE:
            connection.send(prepare(part, workshop))
        else:
            connection.send(try_one(part, seed, number, workshop, output))


def prepare(part: Part, workshop: Path) -> str | None:
    """Make what the inputs of a part need; return what the part lacks here, if anything."""
    missing = part.missing()
    if missing is None:
        with _in_folder(workshop):
            part.prepare(workshop)
    return missing


def _settle(workshop: Path) -> None:
    os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "NO_COLOR": "1", "COLUMNS": "120"}
    os.environ.pop("FORCE_COLOR", None)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    toys.install(workshop)


def try_one(part: Part, seed: int, number: int, workshop: Path, output: Path) -> list[Fault]:
    """Make and try one input; if there is a fault, its folder is kept in `output`."""
    with tempfile.TemporaryDirectory(prefix="campaign-") as name, _in_folder(Path(name)):
        folder = Path(name)
        try:
            faults = [*part.attempt(Trial(generator(part.name, seed, number), folder, workshop))]
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-3:]))
            faults = [Fault(FaultKind.EXCEPTION, part.name, f"{type(error).__name__}: {error} ({where})")]
        if faults:
            _keep(folder, faults, output / f"{part.name}-{seed}-{number}")
    return faults


def _keep(folder: Path, faults: Sequence[Fault], target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, symlinks=True, ignore=_special)
    (target / "FAULTS").write_text("".join(f"{fault}\n" for fault in faults), encoding="utf-8")


def _special(folder: str, names: list[str]) -> list[str]:
    """Leave out what is no file, folder or link."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if not (path.is_symlink() or path.is_file() or path.is_dir())]


class _in_folder:  # noqa: N801
    """Work in a folder while the block runs; `contextlib.chdir` can't go back to a folder that has gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        os.chdir(self.folder)

    def __exit__(self, *_: object) -> None:
        os.chdir(Path(sys.prefix))
