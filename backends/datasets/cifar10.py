"""CIFAR-10 from its binary version: the Python version is made of pickles, and nothing is unpickled here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.task import Task, require
from epsl_opt.core.errors import InputError
from epsl_opt.core.options import Options

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
FOLDER = "cifar-10-batches-bin"
TRAIN_FILES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
TEST_FILE = "test_batch.bin"
SHAPE = (3, 32, 32)
ROW_BYTES = 1 + 3 * 32 * 32
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Cifar10Options(Options):
    """Where the files are."""

    root: Path = Field(default=Path("data"), description=f"folder with the .bin files, or above `{FOLDER}`")
    download: bool = Field(default=False, description="fetch the binary version into the root, with torchvision")


def load(options: Cifar10Options, seed: int) -> Dataset:
    """Load CIFAR-10 with its own test samples; the seed plays no part.

    Raises
    ------
    InputError
        If files are missing or damaged.
    """
    root = options.root.expanduser()
    if options.download and _place(root) is None:
        _download(root)
    place = _place(root)
    if place is None:
        problem = f"no {TEST_FILE} in {root} or {root / FOLDER}; unpack {URL} there"
        raise InputError("task cifar10", f"{problem}, give root=FOLDER or download=true", "root")
    parts = [read_batch(place / name) for name in TRAIN_FILES]
    train = Samples(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))
    return normalised("cifar10", train, read_batch(place / TEST_FILE), CLASSES)


def read_batch(path: Path) -> Samples:
    """Read rows of one label and 3072 pixels, channel by channel.

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        If it does not consist of whole rows, or has a label beyond 9.
    """
    content = path.read_bytes()
    if not content or len(content) % ROW_BYTES:
        raise InputError(str(path), f"has {len(content)} bytes, which is no whole number of {ROW_BYTES}-byte rows")
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, ROW_BYTES)
    wrong = np.flatnonzero(rows[:, 0] >= len(CLASSES))
    if len(wrong):
        raise InputError(str(path), f"must be from 0 to 9, is {rows[wrong[0], 0]}", f"label of row {wrong[0] + 1}")
    return Samples(rows[:, 1:].reshape(-1, *SHAPE), rows[:, 0].astype(np.intp))


def _place(root: Path) -> Path | None:
    return next((place for place in (root, root / FOLDER) if (place / TEST_FILE).is_file()), None)


def _download(root: Path) -> None:
    """Torchvision's own CIFAR10 class reads pickles; only its downloader is used, with the publisher's digest."""
    utils = require("torchvision.datasets.utils", "torchvision", "cifar10: download=true")
    try:
        utils.download_and_extract_archive(URL, str(root), md5=MD5)
    except (OSError, RuntimeError) as error:
        raise InputError("task cifar10", f"could not be fetched: {' '.join(str(error).split())}", "download") from error


CIFAR10 = Task(
    "cifar10",
    "small photographs of ten kinds of things, 32x32 colour: 50,000 to train, 10,000 to test",
    Cifar10Options,
    load,
)
