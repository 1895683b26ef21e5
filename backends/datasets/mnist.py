"""MNIST and Fashion-MNIST, from their usual files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.idx import read_idx
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.task import SplitOptions, Task, require
from epsl_opt.backends.datasets.telling import tell_once
from epsl_opt.core.errors import InputError

DIGITS = tuple(map(str, range(10)))
CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

KIN = frozenset(("mnist", "fashionmnist", "fashion-mnist", "kmnist", "qmnist"))
"""Folders, in lower case, of sets whose files have the same names."""


class MnistOptions(SplitOptions):
    """Where the files are."""

    root: Path = Field(
        default=Path("data"), description="folder with the IDX files, or above `MNIST/raw` or `FashionMNIST/raw`"
    )
    download: bool = Field(default=False, description="fetch what is missing into the root, with torchvision")


def load(options: MnistOptions, seed: int, task: str, collection: str, classes: tuple[str, ...]) -> Dataset:
    """Load one of the family; where only training or only test images are there, split those.

    Raises
    ------
    InputError
        If files are missing or damaged.
    """
    root = options.root.expanduser()
    found = _found(root, collection)
    if options.download and len(found) < 2:
        _download(root, task, collection)
        found = _found(root, collection)
    if not found:
        raise InputError(f"task {task}", _nothing(root, collection), "root")
    _tell_kin(found["train" if "train" in found else "t10k"], task, collection)
    parts = {name: _read(images, name, classes) for name, images in found.items()}
    if len(parts) == 2:
        return normalised(task, parts["train"], parts["t10k"], classes)
    ((name, part),) = parts.items()
    train, test = split(part.y, options.test_fraction, options.seed_or(seed))
    what = f"{task} ({len(part.y)} {'training' if name == 'train' else 'test'} images, split {len(train)}/{len(test)})"
    return normalised(what, part.take(train), part.take(test), classes)


def _tell_kin(images: Path, task: str, collection: str) -> None:
    """Log that a file lies in the folder of another set of the family, whose files have the same names."""
    kin = [name for name in images.parent.resolve().parts[-2:] if name.lower() in KIN - {collection.lower(), task}]
    if kin:
        tell_once(f"{images}: lies in {kin[-1]}, but is read as {task}")


def _nothing(root: Path, collection: str) -> str:
    """Say that there are no files, where they were looked for, and what is there that looks like the set."""
    there = sorted(path.name for path in root.iterdir() if "mnist" in path.name.lower()) if root.is_dir() else []
    near = f", only {', '.join(there[:3])}" if there else ""
    places = " or ".join(map(str, _places(root, collection)[:2]))
    problem = f"no train-images-idx3-ubyte or t10k-images-idx3-ubyte (or .gz) in {places}{near}"
    return f"{problem}; give root=FOLDER or download=true"


def _places(root: Path, collection: str) -> tuple[Path, ...]:
    """Return where the files may be: in the root, where torchvision keeps them, or in between."""
    return root, root / collection / "raw", root / collection, root / "raw"


def _found(root: Path, collection: str) -> dict[str, Path]:
    """Return the file of images of each part that is there, `train` first."""
    found: dict[str, Path] = {}
    for part in ("train", "t10k"):
        for place in _places(root, collection):
            if part not in found and (images := _file(place, part, "images", 3)):
                found[part] = images
    return found


def _file(place: Path, part: str, kind: str, dimensions: int) -> Path | None:
    """Return a file of the set; its words may be joined by `-`, `.` or `_`, in any case.

    Some archives unpack to a folder of the file's name with the file in it.
    """
    name = re.compile(rf"{part}[-._]{kind}[-._]idx{dimensions}[-._]ubyte(?:\.gz)?", re.IGNORECASE)
    named = [path for path in place.iterdir() if name.fullmatch(path.name)] if place.is_dir() else []
    inner = [path for folder in named if folder.is_dir() for path in folder.iterdir() if name.fullmatch(path.name)]
    return min((path for path in (*named, *inner) if path.is_file()), key=_preference, default=None)


def _preference(path: Path) -> tuple[int, bool, str]:
    """Return what is smaller for what is taken first: what lies higher, then what is not compressed."""
    return len(path.parts), path.suffix.lower() == ".gz", path.name


def _labels(images: Path, part: str) -> Path | None:
    """Return the labels beside a file of images, or beside the folder that it is alone in."""
    return next((found for place in images.parents[:2] if (found := _file(place, part, "labels", 1))), None)


def _read(images: Path, part: str, classes: tuple[str, ...]) -> Samples:
    labels = _labels(images, part)
    if labels is None:
        raise InputError(str(images), f"lacks its labels, {part}-labels-idx1-ubyte, beside it")
    x, y = read_idx(images), read_idx(labels)
    if x.ndim != 3 or not x.size:
        raise InputError(str(images), "does not hold images")
    if y.shape != x.shape[:1]:
        raise InputError(str(labels), f"has {y.size} labels, but there are {len(x)} images")
    if y.max() >= len(classes):
        raise InputError(str(labels), f"has the label {y.max()}, but there are {len(classes)} classes")
    return Samples(x[:, np.newaxis], y.astype(np.intp))


def _download(root: Path, task: str, collection: str) -> None:
    """Let torchvision fetch the files and verify their digests; it keeps them in `root/collection/raw`."""
    datasets = require("torchvision.datasets", "torchvision", f"{task}: download=true")
    try:
        getattr(datasets, collection)(root=str(root), train=True, download=True)
    except (OSError, RuntimeError) as error:
        raise InputError(f"task {task}", f"could not be fetched: {' '.join(str(error).split())}", "download") from error


MNIST = Task(
    "mnist",
    "handwritten digits, 28x28 grey: 60,000 to train, 10,000 to test",
    MnistOptions,
    lambda options, seed: load(options, seed, "mnist", "MNIST", DIGITS),
)
FASHION_MNIST = Task(
    "fashion-mnist",
    "pieces of clothing, 28x28 grey: 60,000 to train, 10,000 to test",
    MnistOptions,
    lambda options, seed: load(options, seed, "fashion-mnist", "FashionMNIST", CLOTHES),
)
