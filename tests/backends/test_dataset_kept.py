"""A data set is loaded once while its files stay what they are, and again as soon as they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.tasks import load_task
from epsl_opt.backends.pytorch.backend import _dataset
from epsl_opt.cli.app import run


def draw(root: Path, seed: int) -> None:
    """Make a folder of two classes of random pictures."""
    rng = np.random.default_rng(seed)
    for side in ("train", "test"):
        for name in ("a", "b"):
            folder = root / "pictures" / side / name
            folder.mkdir(parents=True, exist_ok=True)
            for k in range(2):
                Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / f"{k}.png")


def test_a_training_loads_its_data_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """From fitting the instance to the last round, data are loaded once, whatever the seed of the split."""
    loaded: list[int] = []

    def load(spec: str, seed: int) -> Dataset:
        loaded.append(seed)
        return load_task(spec, seed)

    monkeypatch.setattr("epsl_opt.backends.datasets.tasks.load_task", load)
    task = ["--task", "synthetic:samples=100,size=4,classes=2", "--seed", "3", "--rounds", "1"]
    assert run(["train", "paper:clients=2,subchannels=4,batch_size=4", "-s", "greedy", *task, "-q"]) == 0
    assert loaded == [3]


def test_a_changed_folder_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal files are read once; other pixels under the same name, or another folder under it, are other data."""
    task, known = "images:root=pictures,size=8", []
    for seed, place in enumerate(("one", "two")):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        draw(Path(), seed)
        first = _dataset(task, 0)
        assert _dataset(task, 0) is first
        draw(Path(), seed + 10)
        known += [first.train_x, _dataset(task, 0).train_x]
        draw(Path(), seed)
        assert np.array_equal(_dataset(task, 0).train_x, first.train_x)
    assert len({pixels.tobytes() for pixels in known}) == 4
