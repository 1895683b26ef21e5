"""HAM10000: skin lesions, several images of some; no lesion is both trained on and tested with.

Tschandl, Rosendahl, Kittler, Scientific Data 5, 180161 (2018), doi 10.7910/DVN/DBW86T.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from pathlib import Path

import numpy as np
from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.lesions import CLASSES, Lesions, read_lesions
from epsl_opt.backends.datasets.picture_files import pictures_below
from epsl_opt.backends.datasets.pictures import read_pictures
from epsl_opt.backends.datasets.pixel_table import read_pixel_table
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.task import SplitOptions, Task, folder
from epsl_opt.backends.datasets.telling import tell_once
from epsl_opt.backends.datasets.twins import content_digest, tell_twins
from epsl_opt.core.errors import InputError

JPEG_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".jfif"))
PIXEL_FILE = re.compile(r"hmnist_(\d{1,3})_\1_(L|RGB)\.csv")
DEFAULT_SIZE = 64
"""What the profile of ResNet-18 takes that stands for the paper's task."""


class HamSource(StrEnum):
    """What to read."""

    AUTO = "auto"
    """The table of pixels that fits, colour and large first; where none does, the images."""
    PIXELS = "pixels"
    """A table of pixels, `hmnist_SIZE_SIZE_L.csv` (grey) or `hmnist_SIZE_SIZE_RGB.csv`."""
    IMAGES = "images"
    """`IMAGE_ID.jpg` files or their like, in the root or at any depth below it."""


class HamOptions(SplitOptions):
    """Where the files are, and which to take."""

    root: Path = Field(default=Path("data"), description="folder with HAM10000_metadata.csv and pixels or images")
    source: HamSource = Field(
        default=HamSource.AUTO,
        description="pixels (hmnist_SIZE_SIZE_L.csv or _RGB.csv), images, or auto: what is there",
    )
    size: int | None = Field(
        default=None, ge=4, le=512, description=f"side in pixels; if not given, the largest table's, or {DEFAULT_SIZE}"
    )
    grey: bool | None = Field(default=None, description="one channel instead of three; if not given, what is there")


def load(options: HamOptions, seed: int) -> Dataset:
    """Load the lesions; the classes are numbered as in the tables of pixels, whatever is read.

    Raises
    ------
    InputError
        If files are missing or damaged, or do not go together.
    """
    root = folder(options.root, "ham10000")
    lesions = read_lesions(root)
    table = None if options.source is HamSource.IMAGES else _table(root, options)
    if table is None and options.source is HamSource.PIXELS:
        raise InputError("task ham10000", f"no hmnist_SIZE_SIZE_L.csv or _RGB.csv in {root} fits the options", "source")
    train, test = split(lesions.labels, options.test_fraction, options.seed_or(seed), lesions.lesion_ids)
    if table is None:
        paths = _image_paths(root, lesions, options)
        tell_twins([paths[i] for i in train], [paths[i] for i in test])
        pixels = read_pictures(paths, options.size or DEFAULT_SIZE, bool(options.grey), "ham10000")
        data = Samples(pixels, lesions.labels)
    else:
        data = _read_table(table, lesions)
    name = f"ham10000 ({'images' if table is None else table.name}, split by lesion {len(train)}/{len(test)})"
    return normalised(name, data.take(train), data.take(test), CLASSES)


def _table(root: Path, options: HamOptions) -> Path | None:
    """Return the table of pixels that fits the options; of several, colour first, then the largest."""
    found: list[tuple[bool, int, Path]] = []
    for path in sorted(root.iterdir()):
        if match := PIXEL_FILE.fullmatch(path.name):
            size, grey = int(match[1]), match[2] == "L"
            if options.size in {None, size} and options.grey in {None, grey}:
                found.append((not grey, size, path))
    return max(found)[2] if found else None


def _read_table(path: Path, lesions: Lesions) -> Samples:
    """Read a table and compare its labels with the metadata, whose rows are in the same order."""
    match = PIXEL_FILE.fullmatch(path.name)
    assert match is not None
    data = read_pixel_table(path, int(match[1]), 1 if match[2] == "L" else 3)
    if len(data.y) != len(lesions.labels):
        raise InputError(str(path), f"has {len(data.y)} rows, but {lesions.path} has {len(lesions.labels)}")
    wrong = np.flatnonzero(data.y != lesions.labels)
    if len(wrong):
        row, expected = int(wrong[0]), int(lesions.labels[wrong[0]])
        problem = f"is {data.y[row]}, but {lesions.path} says {CLASSES[expected]} ({expected}); is the order the same?"
        raise InputError(str(path), problem, f"label of row {row + 1}")
    return data


def _image_paths(root: Path, lesions: Lesions, options: HamOptions) -> list[Path]:
    """Return the file of each image, by its name without suffix, at any depth."""
    there: dict[str, list[Path]] = {}
    for path in pictures_below(root, Counter(), "ham10000"):
        there.setdefault(path.stem, []).append(path)
    missing = [image for image in lesions.image_ids if image not in there]
    if missing:
        before = "no table of pixels fits the options, and " if options.source is HamSource.AUTO else ""
        problem = f"{before}{len(missing)} of {len(lesions.image_ids)} images are neither in it nor in its folders"
        raise InputError(str(root), f"{problem}, {missing[0]}.jpg for one")
    if others := len(there) - len(lesions.image_ids):
        tell_once(f"{root}: left out {others} pictures that {lesions.path.name} does not name")
    return [_one_of(there[image]) for image in lesions.image_ids]


def _one_of(paths: list[Path]) -> Path:
    """Return one of several files of an image, which archives that hold a folder twice lead to; JPEG goes first."""
    best = [path for path in paths if path.suffix.lower() in JPEG_SUFFIXES] or paths
    if len(best) > 1 and len({content_digest(path) for path in best}) > 1:
        raise InputError(str(best[1]), f"differs from {best[0]}, which is of the same name")
    return best[0]


HAM10000 = Task(
    "ham10000",
    "10,015 images of skin lesions in 7 classes, two thirds of them one class; split by lesion",
    HamOptions,
    load,
)
