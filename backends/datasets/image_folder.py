"""Any images sorted into one folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.pictures import read_pictures, suffixes
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.task import SplitOptions, Task, folder
from epsl_opt.errors import InputError


class ImageOptions(SplitOptions):
    """Where the images are, and what to make of them."""

    root: Path = Field(
        default=Path("data"), description="folder with a folder a class, or with `train` and `test` (or `val`) of such"
    )
    size: int = Field(default=32, ge=1, le=1024, description="side in pixels that all images are brought to")
    grey: bool = Field(default=False, description="one channel instead of three")


def load(options: ImageOptions, seed: int) -> Dataset:
    """Load the images; classes are numbered in the alphabetical order of their folders.

    Raises
    ------
    InputError
        If there are no such folders, a class is missing from one side, or a file is no image.
    """
    root = folder(options.root, "images")
    training, testing = _sides(root)
    classes = _classes(training)
    data = _read(training, classes, options)
    name = f"images of {root.name}" if root.name else "images"
    if testing is not None:
        return normalised(f"{name} (tested with {testing.name}/)", data, _read(testing, classes, options), classes)
    train, test = split(data.y, options.test_fraction, options.seed_or(seed))
    return normalised(f"{name} (split {len(train)}/{len(test)})", data.take(train), data.take(test), classes)


def _sides(root: Path) -> tuple[Path, Path | None]:
    """Return the folders to train on and to test with, if they are apart: a class may well be called `train`."""
    training = root / "train"
    if not training.is_dir() or not _folders(training):
        return root, None
    return training, next((root / name for name in ("test", "val") if (root / name).is_dir()), None)


def _folders(place: Path) -> list[Path]:
    return sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))


def _classes(place: Path) -> tuple[str, ...]:
    found = tuple(path.name for path in _folders(place))
    if len(found) < 2:
        raise InputError(str(place), f"must have a folder for each of at least 2 classes, has {len(found)}")
    return found


def _read(place: Path, classes: tuple[str, ...], options: ImageOptions) -> Samples:
    strangers = [path.name for path in _folders(place) if path.name not in classes]
    if strangers:
        raise InputError(str(place / strangers[0]), "is a class that there are no training images of")
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        files = sorted(path for path in (place / name).rglob("*") if path.suffix.lower() in suffixes("images") and path.is_file())
        if not files:
            raise InputError(str(place / name), "holds no images (.bmp, .gif, .jpeg, .jpg, .png, .tif, .webp or what else Pillow reads)")
        paths += files
        labels += [label] * len(files)
    return Samples(read_pictures(paths, options.size, options.grey, "images"), np.array(labels, dtype=np.intp))


IMAGES = Task("images", "your own images, one folder a class", ImageOptions, load)
