"""The task `paper`: what the default instance's profile is the network of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from epsl_opt import InputError, load_instance
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.tasks import load_task
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.options import TorchOptions

Image = pytest.importorskip("PIL.Image")
SHAPE = (3, 64, 64)


def same(first: Dataset, second: Dataset) -> bool:
    """Return whether two data sets hold the same numbers."""
    arrays = ("train_x", "train_y", "test_x", "test_y")
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in arrays)


def test_the_default_instance_is_of_its_network() -> None:
    """Counted anew, the network that is trained costs what the default instance says, number by number."""
    backend, paper = TorchBackend(), load_instance("paper")
    counted = backend.profile("resnet18", SHAPE, 7)
    assert counted.model_copy(update={"name": paper.model.name}) == paper.model
    assert backend.fit(paper, "paper:samples=14", TorchOptions()) is paper


def test_drawn_images_are_those_of_synthetic() -> None:
    """Without a folder, the samples are those of `synthetic` of that size, equally many of 7 classes."""
    data = load_task("paper:samples=70", 3)
    assert data.input_shape == SHAPE
    assert same(data, load_task("synthetic:classes=7,channels=3,size=64,samples=70,difficulty=0.02", 3))
    assert np.bincount(data.train_y).tolist() == [8] * 7


def test_drawn_images_can_be_learned() -> None:
    """The nearest mean of the training samples tells nearly all test samples right."""
    data = load_task("paper:samples=280", 0)
    means = np.array([data.train_x[data.train_y == k].mean(axis=0).ravel() for k in range(7)])
    distances = ((data.test_x.reshape(len(data.test_y), 1, -1) - means) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == data.test_y).mean() > 0.9


def test_folders_are_read_as_by_the_tasks_for_them(tmp_path: Path) -> None:
    """A folder a class is read as `images` does, HAM10000 as `ham10000` does, both as 3 x 64 x 64."""
    sorted_, lesions = tmp_path / "sorted", tmp_path / "lesions"
    rows = ["lesion_id,image_id,dx"]
    lesions.mkdir()
    for k in range(42):
        diagnosis = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")[k % 7]
        picture = Image.new("RGB", (9, 8), (5 * k, 255 - k, 3 * k))
        (sorted_ / diagnosis).mkdir(parents=True, exist_ok=True)
        picture.save(sorted_ / diagnosis / f"{k}.png")
        picture.save(lesions / f"ISIC_{k}.jpg")
        rows.append(f"HAM_{k},ISIC_{k},{diagnosis}")
    (lesions / "HAM10000_metadata.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    for root, reader in ((sorted_, f"images:root={sorted_},"), (lesions, f"ham10000:root={lesions},source=images,")):
        data = load_task(f"paper:root={root}", 1)
        assert data.input_shape == SHAPE
        assert len(data.classes) == 7
        assert same(data, load_task(f"{reader}size=64", 1))


def test_a_folder_that_is_not_there_is_one_line() -> None:
    """A root without a folder is refused by task and option."""
    with pytest.raises(InputError, match=r"^task paper: root: nowhere is not a folder"):
        load_task("paper:root=nowhere", 0)
