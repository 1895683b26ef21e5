"""Folders of pictures that Pillow makes in every mode: what training sees is what a viewer shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from campaign.command import run_command
from campaign.faults import Fault, FaultKind
from campaign.judging import command_faults
from campaign.part import Part, Trial

CLASSES = ("ant", "bee")
JUNK = (".DS_Store", "Thumbs.db", "desktop.ini", "._a.png", "notes.txt", ".hidden/a.png", "__MACOSX/._b.png")
"""What systems leave in folders, as a path below a class; none of it is a picture of the class."""


class Pictures(Part):
    """Pictures."""

    name = "pictures"
    title = "folders of pictures in every mode and format, as a viewer shows them"
    share = 0.014

    def missing(self) -> str | None:
        """Pillow writes the pictures, and torch learns them."""
        lacking = [name for name in ("PIL", "torch") if find_spec(name) is None]
        if lacking:
            return f"{lacking[0]} is not installed"
        from campaign.image_folders import WRITES_ALL

        return None if WRITES_ALL else "Pillow before 13 does not write, or not read, all of its modes"

    def prepare(self, workshop: Path) -> None:
        """Make an instance to train on."""
        run_command(["generate", "paper:clients=2,subchannels=3", "-o", "instance.json"])

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Read one folder picture by picture, then train on it with junk and damaged files in it."""
        from campaign.image_folders import write_folder

        shown = write_folder(trial.folder / "pictures", trial.rng, CLASSES)
        faults = [fault for path, seen in shown.items() for fault in _wrong(path, seen.pixels, seen.tolerance)]
        return [*faults, *_trained(trial)]


def _wrong(path: Path, pixels: np.ndarray, tolerance: int) -> Iterator[Fault]:
    """Yield a fault if a picture is read otherwise than it is shown."""
    from epsl_opt.backends.datasets.pictures import read_pictures

    name = f"{path.parent.name}/{path.name}"
    try:
        read = read_pictures([path], pixels.shape[0], False, "images")[0].transpose(1, 2, 0)
    except Exception as error:
        yield Fault(FaultKind.WRONG_PICTURE, name, f"{type(error).__name__}: {error}")
        return
    if (off := int(np.abs(read.astype(int) - pixels.astype(int)).max())) > tolerance:
        yield Fault(FaultKind.WRONG_PICTURE, name, f"off by up to {off} of 255")


def _trained(trial: Trial) -> Iterator[Fault]:
    """Train one round on the folder; junk is left out, and a damaged picture is named."""
    from campaign.image_folders import damaged

    for name in trial.rng.choice(JUNK, int(trial.rng.integers(0, 4)), replace=False):
        path = trial.folder / "pictures" / CLASSES[int(trial.rng.integers(2))] / str(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"junk")
    bad = None
    if trial.rng.uniform() < 0.5:
        files = damaged(trial.rng)
        name = str(trial.rng.choice(sorted(files)))
        bad = trial.folder / "pictures" / CLASSES[0] / name
        bad.write_bytes(files[name])
    task = "images:root=pictures,size=8"
    outcome = run_command(
        ["train", str(trial.workshop / "instance.json"), "-s", "greedy", "-t", task, "-n", "1", "-b", "4"]
    )
    yield from command_faults(outcome)
    if bad is None and outcome.code != 0:
        yield Fault(FaultKind.WRONG_PICTURE, outcome.line, outcome.stderr)
    if bad is not None and (outcome.code != 2 or bad.name not in outcome.stderr):
        yield Fault(
            FaultKind.WRONG_PICTURE, outcome.line, f"{bad.name} is damaged, code {outcome.code}: {outcome.stderr}"
        )
