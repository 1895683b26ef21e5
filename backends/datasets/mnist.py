"""MNIST and Fashion-MNIST, from their usual files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.idx import read_idx
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.task import SplitOptions, Task, require
from epsl_opt.errors import InputError

DIGITS = tuple(map(str, range(10)))
CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


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
        places = " or ".join(map(str, _places(root, collection)))
        problem = f"no train-images-idx3-ubyte or t10k-images-idx3-ubyte (or .gz) in {places}"
        raise InputError(f"task {task}", f"{problem}; give root=FOLDER or download=true", "root")
    parts = {name: _read(images, name, classes) for name, images in found.items()}
    if len(parts) == 2:
        return normalised(task, parts["train"], parts["t10k"], classes)
    ((name, part),) = parts.items()
    train, test = split(part.y, options.test_fraction, options.seed_or(seed))
    what = f"{task} ({len(part.y)} {'training' if name == 'train' else 'test'} images, split {len(train)}/{len(test)})"
    return normalised(what, part.take(train), part.take(test), classes)


def _places(root: Path, collection: str) -> tuple[Path, Path]:
    return root, root / collection / "raw"


def _found(root: Path, collection: str) -> dict[str, Path]:
    """Return the file of images of each part that is there, `train` first."""
    found: dict[str, Path] = {}
    for part in ("train", "t10k"):
        for place in _places(root, collection):
            if part not in found and (images := _file(place, f"{part}-images", "idx3-ubyte")):
                found[part] = images
    return found


def _file(place: Path, stem: str, kind: str) -> Path | None:
    names = [f"{stem}{dot}{kind}{end}" for dot in "-." for end in ("", ".gz")]
    return next((place / name for name in names if (place / name).is_file()), None)


def _read(images: Path, part: str, classes: tuple[str, ...]) -> Samples:
    labels = _file(images.parent, f"{part}-labels", "idx1-ubyte")
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
