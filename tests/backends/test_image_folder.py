"""Images in one folder a class come back as arrays with the classes of their folders."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_sample_images

from epsl_opt import InputError
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.pictures import read_pictures
from epsl_opt.backends.datasets.split_folders import side_of
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


def test_real_photographs_come_back_as_they_are(tmp_path: Path) -> None:
    """Pieces of two photographs (with scikit-learn), a class each: every piece has its pixels and its class."""
    photographs, size = load_sample_images().images, 64
    pieces = [[picture[64 * k : 64 * k + size, 100 : 100 + size] for k in range(6)] for picture in photographs]
    for name, of_class in zip(("china", "flower"), pieces, strict=True):
        for k, piece in enumerate(of_class):
            folder = tmp_path / ("train" if k < 4 else "test") / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(piece).save(folder / f"{k}.png")
    data = load_task(f"images:root={tmp_path},size={size}", 0)
    seen = np.array([piece for of_class in pieces for piece in of_class[:4]], dtype=np.float64)
    mean, deviation = seen.mean(axis=(0, 1, 2)), seen.std(axis=(0, 1, 2))
    for x, y, of_side in ((data.train_x, data.train_y, slice(4)), (data.test_x, data.test_y, slice(4, None))):
        found = np.rint(x.transpose(0, 2, 3, 1) * deviation + mean).astype(np.uint8)
        assert np.array_equal(found, np.concatenate([of_class[of_side] for of_class in pieces]))
        assert y.tolist() == sorted(y.tolist())
        assert np.bincount(y).tolist() == [len(of_class[of_side]) for of_class in pieces]


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


JUNK_FOLDERS = (
    ".ipynb_checkpoints",
    "__MACOSX",
    "@eaDir",
    "lost+found",
    ".git",
    "$RECYCLE.BIN",
    "__pycache__",
    ".trash",
)
JUNK_FILES = (".DS_Store", "._0.PNG", "Thumbs.db", "desktop.ini", ".hidden.png", "ehthumbs.db", "THUMBS.DB", "Icon\r")
PLACES = ("", "ant", "bee/deep", "train", "train/ant", "train/ant/deep", "test", "test/cat")


def same(a: Dataset, b: Dataset) -> bool:
    """Return whether two data sets hold the same samples in the same order, with the same names."""
    arrays = ((getattr(a, name), getattr(b, name)) for name in ("train_x", "train_y", "test_x", "test_y"))
    return a.classes == b.classes and a.name == b.name and all(np.array_equal(x, y) for x, y in arrays)


@settings(max_examples=15)
@given(
    sides=st.booleans(),
    junk=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK_FOLDERS + JUNK_FILES)), min_size=1),
)
def test_system_files_are_no_data_at_any_depth(
    tmp_path_factory: pytest.TempPathFactory, sides: bool, junk: list[tuple[str, str]]
) -> None:
    """What systems and notebooks leave behind, pictures among it, changes no sample, wherever it lies."""
    root = tmp_path_factory.mktemp("junk") / "set"
    for side in ("train", "test") if sides else ("",):
        write_images(root / side)
    plain = load_task(f"images:root={root},size=6", 0)
    for place, name in junk:
        if not (root / place).is_dir():
            continue
        target = root / place / name
        if name in JUNK_FILES:
            target.write_bytes(b"\0\5\x16\7 no picture")
        else:
            (target / "deep").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (9, 9), "red").save(target / "0-checkpoint.png")
            Image.new("RGB", (9, 9), "red").save(target / "deep" / "1.png")
    assert same(load_task(f"images:root={root},size=6", 0), plain)


def test_what_is_left_out_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line says how many files of which suffix are no pictures, and nothing is said where nothing is left out."""
    write_images(tmp_path / "set")
    for name in ("a.heic", "b.heic", "noext", "deep/c.npy"):
        (tmp_path / "set" / "bee" / name).write_bytes(b"x")
    (tmp_path / "set" / "README.md").write_text("x", encoding="utf-8")
    load_task(f"images:root={tmp_path / 'set'}", 0)
    (message,) = [record.message for record in caplog.records]
    assert message.startswith(
        f"{tmp_path / 'set'}: left out 8 files, no pictures or in no class folder: 3 .txt, 2 .heic"
    )
    assert all(part in message for part in ("1 without suffix", "1 .npy", "1 .md"))
    for path in (tmp_path / "set").rglob("*"):
        if path.is_file() and path.suffix.lower() not in {".png", ".bmp"}:
            path.unlink()
    caplog.clear()
    load_task(f"images:root={tmp_path / 'set'}", 1)
    assert not caplog.records


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "TEST"),
        ("training", "testing"),
        ("TRAIN", "Val"),
        ("train", "valid"),
        ("Training", "validation"),
        ("seg_train", "seg_test"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("train_set", "test_set"),
        ("train-images", "test-images"),
        ("TrainingData", "TestData"),
    ],
)
def test_sides_are_found_by_their_usual_names(tmp_path: Path, train: str, test: str) -> None:
    """However data sets call them, the folders to train on and to test with are kept apart."""
    write_images(tmp_path / train)
    write_images(tmp_path / test, count=2)
    data = load_task(f"images:root={tmp_path}", 0)
    assert data.classes == CLASSES
    assert (len(data.train_y), len(data.test_y)) == (15, 6)
    assert data.name.endswith(f"(tested with {test}/)")


@pytest.mark.parametrize(
    "name", ["trainer", "contest", "tester", "invalid", "value", "ant", "strain", "latest", "device"]
)
def test_other_names_are_classes(name: str) -> None:
    """A name that only holds such a word is no side."""
    assert side_of(name) is None


def test_a_folder_that_is_not_used_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Beside the two sides, other folders are not used, and the log names them."""
    for side in ("train", "test", "val", "extra"):
        write_images(tmp_path / side)
    load_task(f"images:root={tmp_path}", 0)
    assert f"{tmp_path}: not used: extra/, val/" in [record.message for record in caplog.records]


def move(root: Path, *pairs: tuple[str, str]) -> None:
    """Move folders below a root."""
    for old, new in pairs:
        (root / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(root / old, root / new)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda root: move(root, ("train", "first"), ("test", "second")),
            r"2 of 2 class folders have the same subfolders",
        ),
        (
            lambda root: move(root, ("train", "a/x/train"), ("test", "a/x/test")),
            r"has 1; if the classes are in a/, give ",
        ),
        (
            lambda root: move(root, ("train", "once"), ("once", "train/once")),
            r"train: must have .* 2 classes, has 1; if the classes are",
        ),
        (
            lambda root: move(root, ("train", "val")),
            r"has test and val, but nothing to train on; call that folder train$",
        ),
        (lambda root: shutil.copytree(root / "train", root / "Training"), r"has Training and train, of which only one"),
        (lambda root: shutil.copytree(root / "test", root / "tests"), r"has test and tests, of which only one can be"),
        (lambda root: [shutil.rmtree(path) for path in (root / "train").iterdir()], r"train: must have .*, has 0$"),
        (lambda root: shutil.rmtree(root / "test" / "bee"), r"bee: holds no images"),
        (lambda root: (root / "train" / "bee" / "gone.png").symlink_to(root / "nowhere"), r"gone\.png: No such file"),
    ],
)
def test_unclear_folders_are_one_line(tmp_path: Path, change: Callable[[Path], object], message: str) -> None:
    """Folders that may be sides or classes, wrapped ones and empty ones are refused with what to do about it."""
    write_images(tmp_path / "train")
    write_images(tmp_path / "test")
    change(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        load_task(f"images:root={tmp_path}", 0)
    assert "\n" not in str(caught.value)


def test_classes_with_the_same_two_subfolders_are_refused(tmp_path: Path) -> None:
    """Class folders that each hold the two sides are the wrong way round, and refused."""
    for name in CLASSES:
        for side in ("train", "test"):
            (tmp_path / name / side).mkdir(parents=True)
            Image.new("RGB", (4, 4)).save(tmp_path / name / side / "0.png")
    with pytest.raises(InputError, match=r"3 of 3 class folders have the same subfolders \(test, train, \.\.\.\)"):
        load_task(f"images:root={tmp_path}", 0)


def test_links_are_followed_once(tmp_path: Path) -> None:
    """A linked folder of pictures counts, and one that leads back up does not lead round and round."""
    write_images(tmp_path / "set", count=3)
    more = tmp_path / "more"
    more.mkdir()
    Image.new("RGB", (6, 6), "red").save(more / "x.png")
    (tmp_path / "set" / "ant" / "more").symlink_to(more)
    (tmp_path / "set" / "ant" / "deep" / "up").symlink_to(tmp_path / "set" / "ant")
    data = load_task(f"images:root={tmp_path / 'set'}", 0)
    assert len(data.train_y) + len(data.test_y) == 10


@pytest.mark.parametrize("sides", [False, True])
def test_files_on_both_sides_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, sides: bool) -> None:
    """Test pictures that are also trained on, whatever they are called, are counted in one warning; others are not."""
    if sides:
        write_images(tmp_path / "train")
        write_images(tmp_path / "test", count=2)
    else:
        write_images(tmp_path, count=10)
        for k in range(10):  # copies of all of them, so that some are bound to land on the other side
            for path in (tmp_path / "ant").rglob(f"{k}.*"):
                shutil.copy(path, tmp_path / "ant" / f"{k}-copy.png")
    load_task(f"images:root={tmp_path},size=6,seed=0", 0)
    told = [record.message for record in caplog.records if "also trained on" in record.message]
    assert len(told) == 1
    if sides:
        assert told[0].startswith("6 of 6 test pictures are also trained on: ")
        assert "is " + str(tmp_path / "train") in told[0]


def test_different_files_are_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Pictures that all differ cause no warning."""
    for label, name in enumerate(CLASSES):
        (tmp_path / name).mkdir()
        for k in range(5):
            Image.new("RGB", (6, 6), colour(label, k)).save(tmp_path / name / f"{k}.png")
    load_task(f"images:root={tmp_path}", 0)
    assert not caplog.records
