"""Any images sorted into one folder a class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.picture_files import folders_in, pictures_below, suffixes_in, tell_left_out
from epsl_opt.backends.datasets.pictures import read_pictures
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.split_folders import find_sides
from epsl_opt.backends.datasets.task import SplitOptions, Task, folder
from epsl_opt.backends.datasets.twins import tell_twins
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.errors import InputError


class ImageOptions(SplitOptions):
    """Where the images are, and what to make of them."""

    root: Path = Field(
        default=Path("data"), description="folder with a folder a class, or with `train` and `test` (or `val`) of such"
    )
    size: int = Field(default=32, ge=1, le=1024, description="side in pixels that all images are brought to")
    grey: bool = Field(default=False, description="one channel instead of three")


def load(options: ImageOptions, seed: int) -> Dataset:
    """Load the images; classes are numbered in the alphabetical order of their folders.

    What is no picture, and test pictures that are trained on as well, are told in the log.

    Raises
    ------
    InputError
        If there are no such folders, a class is missing from one side, or a file is no image.
    """
    root = folder(options.root, "images")
    sides = find_sides(root)
    classes = _classes(sides.training)
    left_out = suffixes_in(root) if sides.training != root else Counter[str]()
    found = _pictures(sides.training, classes, left_out)
    tested = None if sides.testing is None else _pictures(sides.testing, classes, left_out)
    tell_left_out(root, left_out)
    name = f"images of {root.name}" if root.name else "images"
    if sides.testing is not None and tested is not None:
        tell_twins(found.paths, tested.paths)
        name = f"{name} (tested with {sides.testing.relative_to(root).as_posix()}/)"
        return normalised(name, _read(found, options), _read(tested, options), classes)
    train, test = split(found.labels, options.test_fraction, options.seed_or(seed))
    tell_twins([found.paths[i] for i in train], [found.paths[i] for i in test])
    data = _read(found, options)
    return normalised(f"{name} (split {len(train)}/{len(test)})", data.take(train), data.take(test), classes)


@dataclass(frozen=True, eq=False)
class _Pictures:
    """Files and the class of each."""

    paths: list[Path]
    labels: IntArray


def _classes(place: Path) -> tuple[str, ...]:
    found = folders_in(place)
    if len(found) < 2:
        hint = f"; if the classes are in {found[0].name}/, give root={found[0]}" if found else ""
        raise InputError(str(place), f"must have a folder for each of at least 2 classes, has {len(found)}{hint}")
    _refuse_alike(place, found)
    return tuple(path.name for path in found)


def _refuse_alike(place: Path, classes: list[Path]) -> None:
    """Refuse folders most of which have the same subfolders: those are the classes, and these something else."""
    inner = Counter(tuple(path.name for path in folders_in(folder)) for folder in classes)
    names, count = max(inner.items(), key=lambda item: item[1] if len(item[0]) > 1 else 0)
    if len(names) > 1 and count > 1 and 2 * count > len(classes):
        alike = f"{count} of {len(classes)} class folders have the same subfolders ({', '.join(names[:3])}, ...)"
        problem = f"{alike}; are those the classes? The sides must be called train and test"
        raise InputError(str(place), problem)


def _pictures(place: Path, classes: tuple[str, ...], left_out: Counter[str]) -> _Pictures:
    strangers = [path.name for path in folders_in(place) if path.name not in classes]
    if strangers:
        raise InputError(str(place / strangers[0]), "is a class that there are no training images of")
    left_out.update(suffixes_in(place))
    by_class = [_of_class(place / name, left_out) for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in by_class])
    return _Pictures([path for paths in by_class for path in paths], labels.astype(np.intp))


def _of_class(place: Path, left_out: Counter[str]) -> list[Path]:
    files = pictures_below(place, left_out, "images") if place.is_dir() else []
    if not files:
        raise InputError(
            str(place), "holds no images (.bmp, .gif, .jpeg, .jpg, .png, .tif, .webp or what else Pillow reads)"
        )
    return files


def _read(pictures: _Pictures, options: ImageOptions) -> Samples:
    return Samples(read_pictures(pictures.paths, options.size, options.grey, "images"), pictures.labels)


IMAGES = Task("images", "your own images, one folder a class", ImageOptions, load)
