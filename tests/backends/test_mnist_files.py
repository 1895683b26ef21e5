"""IDX files are read as they were written, found where they usually are, and refused when damaged."""

from __future__ import annotations

import gzip
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from epsl_opt import InputError
from epsl_opt.backends.datasets.idx import read_idx
from epsl_opt.backends.datasets.tasks import load_task

Pixels = NDArray[np.uint8]
LABELS = np.tile(np.arange(10, dtype=np.uint8), 5)
IMAGES = np.random.default_rng(0).integers(0, 256, (50, 5, 4), dtype=np.uint8)


def idx_bytes(array: Pixels) -> bytes:
    """Write an array in the format's words: 0, 0, type 8, dimensions, sizes, bytes."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_part(place: Path, part: str, images: Pixels = IMAGES, labels: Pixels = LABELS, dot: str = "-") -> None:
    """Write the two files of a part; a second part in the same place is compressed."""
    place.mkdir(parents=True, exist_ok=True)
    squeeze = any(place.iterdir())
    for stem, kind, array in (("images", "idx3", images), ("labels", "idx1", labels)):
        content = idx_bytes(array)
        name = f"{part}-{stem}{dot}{kind}-ubyte{'.gz' if squeeze else ''}"
        (place / name).write_bytes(gzip.compress(content) if squeeze else content)


def raw(data: NDArray[np.float32], like: NDArray[np.float32], train: Pixels) -> Pixels:
    """Undo the scaling by the moments of the training images."""
    pixels = data * train.std(dtype=np.float64) + train.mean(dtype=np.float64)
    assert data.dtype == like.dtype
    return np.rint(pixels)[:, 0].astype(np.uint8)


def test_real_digits_come_back_as_they_are(tmp_path: Path) -> None:
    """1,797 digits written by 43 people (with scikit-learn), as MNIST's files: every image and label, on its side."""
    digits = load_digits()
    images, labels = (15 * digits.images).astype(np.uint8), digits.target.astype(np.uint8)
    train, test = slice(0, 1437), slice(1437, None)
    write_part(tmp_path, "train", images[train], labels[train])
    write_part(tmp_path, "t10k", images[test], labels[test])
    data = load_task(f"mnist:root={tmp_path}", 0)
    assert data.name == "mnist"
    for side, x, y in ((train, data.train_x, data.train_y), (test, data.test_x, data.test_y)):
        assert np.array_equal(raw(x, data.train_x, images[train]), images[side])
        assert np.array_equal(y, labels[side])
    counts = np.bincount(data.train_y) + np.bincount(data.test_y)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)), st.booleans())
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, array: Pixels, squeeze: bool) -> None:
    """Any array of bytes comes back with its shape, compressed or not, whatever the file is called."""
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx_bytes(array)) if squeeze else idx_bytes(array))
    found = read_idx(path)
    assert found.shape == array.shape
    assert np.array_equal(found, array)


@pytest.mark.parametrize("task", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("place", ["", "{}/raw"])
@pytest.mark.parametrize("dot", ["-", "."])
def test_usual_places_are_searched(tmp_path: Path, task: str, place: str, dot: str) -> None:
    """In the root or in torchvision's folders, with the names' hyphen or dot: training and test files are as given."""
    folder = tmp_path / place.format({"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}[task])
    write_part(folder, "train", dot=dot)
    write_part(folder, "t10k", IMAGES[:20], LABELS[:20], dot)
    data = load_task(f"{task}:root={tmp_path}", 0)
    assert data.name == task
    assert data.input_shape == (1, 5, 4)
    assert np.array_equal(raw(data.train_x, data.test_x, IMAGES), IMAGES)
    assert np.array_equal(raw(data.test_x, data.train_x, IMAGES), IMAGES[:20])
    assert np.array_equal(data.train_y, LABELS)
    assert np.array_equal(data.test_y, LABELS[:20])


@pytest.mark.parametrize(("part", "word"), [("t10k", "test"), ("train", "training")])
def test_a_part_alone_is_split(tmp_path: Path, part: str, word: str) -> None:
    """With training or test files only, those are split by the seed, image by image, and the name says so."""
    write_part(tmp_path, part)
    data = load_task(f"mnist:root={tmp_path}", 3)
    assert data.name == f"mnist (50 {word} images, split 40/10)"
    assert np.bincount(data.test_y).tolist() == [1] * 10
    assert np.array_equal(sorted_ranks(np.concatenate([data.train_x, data.test_x])), sorted_ranks(IMAGES))


def sorted_ranks(images: NDArray[Any]) -> NDArray[np.intp]:
    """Replace pixels by their ranks, which no scaling changes, and put images in an order of their own."""
    ranks = np.unique(images, return_inverse=True)[1].reshape(len(images), -1)
    return ranks[np.lexsort(ranks.T)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-1], "should hold 1000 bytes after its header, but holds only 999$"),
        (lambda content: content + b"x", "should hold 1000 bytes after its header, but holds more$"),
        (lambda content: content[:10], "ends within its header$"),
        (lambda _: b"", "is not an IDX file of unsigned bytes$"),
        (lambda content: b"\0\0\x0d" + content[3:], "is not an IDX file of unsigned bytes$"),
        (lambda content: content[:4] + b"\xff" * 12 + content[16:], "claims to hold .* its header is damaged$"),
        (lambda content: gzip.compress(content)[:-20], "is damaged: "),
        (lambda content: gzip.compress(content)[:10] + b"\xff" * 50, "is damaged: "),
        (lambda content: gzip.compress(content)[:-8] + b"\0" * 8, "is damaged: "),
        (lambda _: idx_bytes(LABELS), "does not hold images$"),
        (lambda _: idx_bytes(IMAGES[:49]), "has 50 labels, but there are 49 images$"),
    ],
)
def test_damaged_files_are_one_line(tmp_path: Path, damage: Any, message: str) -> None:
    """A file that is cut, too long, of another format or does not fit its partner is named."""
    write_part(tmp_path, "t10k")
    images = tmp_path / "t10k-images-idx3-ubyte"
    images.write_bytes(damage(images.read_bytes()))
    with pytest.raises(InputError, match=rf"ubyte: {message}") as caught:
        load_task(f"mnist:root={tmp_path}", 0)
    assert str(caught.value).startswith(str(tmp_path))


def test_labels_are_checked(tmp_path: Path) -> None:
    """Missing labels and labels beyond the classes are errors that name the file."""
    write_part(tmp_path, "t10k", labels=LABELS + np.uint8(1))
    labels = tmp_path / "t10k-labels-idx1-ubyte"
    with pytest.raises(InputError, match=r"labels-idx1-ubyte: has the label 10, but there are 10 classes$"):
        load_task(f"mnist:root={tmp_path}", 0)
    labels.unlink()
    with pytest.raises(InputError, match=r"images-idx3-ubyte: lacks its labels, t10k-labels-idx1-ubyte, beside it$"):
        load_task(f"mnist:root={tmp_path}", 0)


def test_nothing_is_fetched_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torchvision is called with the root only for download=true, and only while something is missing."""
    calls: list[dict[str, object]] = []

    def fetch(**arguments: object) -> None:
        calls.append(arguments)
        write_part(tmp_path / "MNIST" / "raw", "train")
        write_part(tmp_path / "MNIST" / "raw", "t10k")

    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torchvision.datasets", SimpleNamespace(MNIST=fetch))
    with pytest.raises(InputError, match=r"^task mnist: root: no train-images-idx3-ubyte .* or download=true$"):
        load_task(f"mnist:root={tmp_path}", 0)
    assert not calls
    for _ in range(2):
        assert load_task(f"mnist:root={tmp_path},download=true", 0).name == "mnist"
    assert calls == [{"root": str(tmp_path), "train": True, "download": True}]


def test_a_failed_download_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What torchvision says is passed on in one line, without escapes."""

    def fail(**_: object) -> None:
        raise RuntimeError("Error downloading x:\nTried y, got:\nno route\n")

    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torchvision.datasets", SimpleNamespace(FashionMNIST=fail))
    expected = r"^task fashion-mnist: download: could not be fetched: Error downloading x: Tried y, got: no route$"
    with pytest.raises(InputError, match=expected):
        load_task(f"fashion-mnist:root={tmp_path},download=true", 0)


PLACED: dict[str, Callable[[str], str]] = {
    "upper case": lambda name: name.upper(),
    "underscores": lambda name: name.replace("-", "_"),
    "a folder each": lambda name: f"{name}/{name}",
    "torchvision's folder as root": lambda name: f"raw/{name}",
    "one folder below": lambda name: f"MNIST/{name}",
}


@pytest.mark.parametrize("placed", PLACED)
@pytest.mark.parametrize("squeeze", [False, True])
def test_files_are_found_under_other_names(tmp_path: Path, placed: str, squeeze: bool) -> None:
    """Archives that spell the files otherwise, or wrap each in a folder, compressed or not, are read alike."""
    for part, count in (("train", 50), ("t10k", 20)):
        for stem, kind, array in (("images", "idx3", IMAGES[:count]), ("labels", "idx1", LABELS[:count])):
            path = tmp_path / PLACED[placed](f"{part}-{stem}-{kind}-ubyte{'.gz' if squeeze else ''}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(idx_bytes(array)) if squeeze else idx_bytes(array))
    data = load_task(f"mnist:root={tmp_path}", 0)
    assert np.array_equal(raw(data.train_x, data.test_x, IMAGES), IMAGES)
    assert np.array_equal(data.test_y, LABELS[:20])


def test_files_of_another_kind_are_named(tmp_path: Path) -> None:
    """Where only other files of the set are, a table say, the error names them beside what is looked for."""
    (tmp_path / "mnist_train.csv").write_text("label,1x1\n5,0\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"^task mnist: root: no train-images-idx3-ubyte .*, only mnist_train\.csv; give"
    ):
        load_task(f"mnist:root={tmp_path}", 0)


@given(place=st.integers(0, 15), value=st.integers(0, 255), which=st.sampled_from(["images-idx3", "labels-idx1"]))
def test_flipped_headers_are_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, which: str
) -> None:
    """Whatever a byte of a header becomes, the files load or the error names one of them."""
    root = tmp_path_factory.mktemp("flipped")
    write_part(root, "t10k")
    path = root / f"t10k-{which}-ubyte"
    content = bytearray(path.read_bytes())
    content[place] = value
    path.write_bytes(content)
    try:
        load_task(f"mnist:root={root}", 0)
    except InputError as error:
        assert str(error).startswith(str(root / "t10k-"))  # noqa: PT017 (either is right)


@pytest.mark.parametrize(("task", "told"), [("mnist", 1), ("fashion-mnist", 0)])
def test_the_folder_of_another_set_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, task: str, told: int
) -> None:
    """Files in the folder of another set of the family, which have the same names, are read with a warning."""
    place = tmp_path / "FashionMNIST" / "raw"
    write_part(place, "train")
    load_task(f"{task}:root={place}", 0)
    assert [record.message for record in caplog.records] == [
        f"{place / 'train-images-idx3-ubyte'}: lies in FashionMNIST, but is read as mnist"
    ][:told]
