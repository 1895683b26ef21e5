"""Images in one folder a class come back as arrays with the classes of their folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from epsl_opt import InputError
from epsl_opt.backends.datasets.pictures import read_pictures
from epsl_opt.backends.datasets.tasks import load_task

Image = pytest.importorskip("PIL.Image")
CLASSES = ("ant", "bee", "cat")


def colour(label: int, k: int) -> tuple[int, int, int]:
    """Return a colour that tells class and number."""
    return (20 * k, 80 * label, 255 - 20 * k)


def write_images(root: Path, count: int = 5, size: int = 6) -> None:
    """Write `count` plain images a class, some of them deeper down, in formats without loss."""
    for label, name in enumerate(CLASSES):
        for k in range(count):
            path = root / name / ("deep" if k % 2 else "") / f"{k}.{'PNG' if k % 3 else 'bmp'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (size, size), colour(label, k)).save(path)
        (root / name / "notes.txt").write_text("no image", encoding="utf-8")


def test_training_and_test_folders_are_kept_apart(tmp_path: Path) -> None:
    """With `train` and `test`, each image is on its own side, with its pixels and the number of its folder."""
    write_images(tmp_path / "train")
    write_images(tmp_path / "test", count=2)
    (tmp_path / "val").mkdir()
    data = load_task(f"images:root={tmp_path},size=6", 0)
    assert data.classes == CLASSES
    assert data.name == f"images of {tmp_path.name} (tested with test/)"
    expected = np.array([colour(label, k) for label in range(3) for k in (0, 2, 4, 1, 3)], dtype=np.float64)
    mean, deviation = expected.mean(axis=0), expected.std(axis=0)
    found = data.train_x.transpose(0, 2, 3, 1) * deviation + mean
    by_file = np.array([colour(label, k) for label in range(3) for k in range(5)], dtype=np.float64)
    for label in range(3):
        rows = np.rint(found[data.train_y == label])
        assert (rows == rows[:, :1, :1]).all()
        assert sorted(rows[:, 0, 0].tolist()) == sorted(by_file[5 * label : 5 * label + 5].tolist())
    assert data.test_y.tolist() == [0, 0, 1, 1, 2, 2]


def test_val_stands_in_for_test(tmp_path: Path) -> None:
    """Without `test`, `val` is what is tested with."""
    write_images(tmp_path / "train")
    write_images(tmp_path / "val", count=1)
    assert len(load_task(f"images:root={tmp_path}", 0).test_y) == 3


@pytest.mark.parametrize("inner", ["", "train"])
def test_one_folder_is_split_by_seed(tmp_path: Path, inner: str) -> None:
    """Without test images a fifth of each class is held out; `train` alone counts as all there is."""
    write_images(tmp_path / inner)
    first, other = (load_task(f"images:root={tmp_path},size=2", seed) for seed in (0, 1))
    assert np.bincount(first.test_y).tolist() == [1, 1, 1]
    assert first.name.endswith("(split 12/3)")
    assert not np.array_equal(first.test_x, other.test_x)


def test_sizes_and_colours_are_brought_together(tmp_path: Path) -> None:
    """Images of any size, mode and format get the asked size and one or three channels."""
    for k, (mode, name) in enumerate((("RGB", "a.jpg"), ("L", "b.png"), ("RGBA", "c.png"), ("P", "d.gif"))):
        for label in ("x", "y"):
            (tmp_path / label).mkdir(exist_ok=True)
            Image.new(mode, (5 + 40 * k, 9)).save(tmp_path / label / name)
    assert load_task(f"images:root={tmp_path},size=16", 0).input_shape == (3, 16, 16)
    assert load_task(f"images:root={tmp_path},size=3,grey=true", 0).input_shape == (1, 3, 3)


def test_a_large_photograph_is_shrunk_without_bias(tmp_path: Path) -> None:
    """A JPEG that is decoded at a fraction of its size keeps its left half dark and its right half bright."""
    pixels = np.zeros((480, 640), dtype=np.uint8)
    pixels[:, 320:] = 200
    for label in ("x", "y"):
        (tmp_path / label).mkdir()
        for name in ("a.jpg", "b.jpg"):
            Image.fromarray(pixels).save(tmp_path / label / name)
    data = load_task(f"images:root={tmp_path},size=8,grey=true,test-fraction=0.5", 0)
    assert data.train_x[:, 0, :, :3].max() < -0.9
    assert data.train_x[:, 0, :, 5:].min() > 0.8


def test_shrinking_averages(tmp_path: Path) -> None:
    """A fine chequerboard becomes an even grey, not a pattern of single pixels that happened to be picked."""
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 254).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "board.png")
    shrunk = read_pictures([tmp_path / "board.png"], 8, True, "images")
    assert shrunk == pytest.approx(np.full((1, 1, 8, 8), 127), abs=2)


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    """A class without images, a file that is none, a stranger among the test classes and too few classes are named."""
    write_images(tmp_path / "train")
    write_images(tmp_path / "test")
    broken = tmp_path / "train" / "bee" / "broken.png"
    broken.write_bytes((tmp_path / "train" / "bee" / "deep" / "1.PNG").read_bytes()[:40])
    with pytest.raises(InputError, match=r"broken\.png: is no image: "):
        load_task(f"images:root={tmp_path}", 0)
    broken.unlink()
    (tmp_path / "test" / "dog").mkdir()
    with pytest.raises(InputError, match=r"dog: is a class that there are no training images of$"):
        load_task(f"images:root={tmp_path}", 0)
    (tmp_path / "train" / "dog").mkdir()
    with pytest.raises(InputError, match=r"train.dog: holds no images \(\.bmp, \.gif, "):
        load_task(f"images:root={tmp_path}", 0)
    with pytest.raises(InputError, match=r"deep: must have a folder for each of at least 2 classes, has 0$"):
        load_task(f"images:root={tmp_path / 'train' / 'bee' / 'deep'}", 0)
