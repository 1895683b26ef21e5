"""CIFAR-10's binary version is read as it was written; nothing is unpickled."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from epsl_opt import InputError
from epsl_opt.backends.datasets.tasks import load_task

NAMES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")
ROWS = np.random.default_rng(0).integers(0, 256, (6, 8, 3073), dtype=np.uint8)
ROWS[:, :, 0] %= 10


def write_batches(folder: Path) -> None:
    """Write five training files and one test file of eight rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(NAMES, ROWS, strict=True):
        (folder / name).write_bytes(rows.tobytes())


@pytest.mark.parametrize("place", ["", "cifar-10-batches-bin"])
def test_what_is_written_is_read(tmp_path: Path, place: str) -> None:
    """Labels and pixels come back in order, red, green and blue planes of 32 rows, scaled plane by plane."""
    write_batches(tmp_path / place)
    data = load_task(f"cifar10:root={tmp_path}", 0)
    train = ROWS[:5].reshape(-1, 3073)
    assert np.array_equal(data.train_y, train[:, 0])
    assert np.array_equal(data.test_y, ROWS[5, :, 0])
    for channel in range(3):
        plane = slice(1 + 1024 * channel, 1025 + 1024 * channel)
        known = train[:, plane].astype(np.float64)
        for found, rows in ((data.train_x, train), (data.test_x, ROWS[5])):
            pixels = found[:, channel] * known.std() + known.mean()
            assert np.array_equal(np.rint(pixels), rows[:, plane].reshape(-1, 32, 32))


def test_damaged_files_are_one_line(tmp_path: Path) -> None:
    """A cut file, an impossible label and a missing file are errors that name the file."""
    write_batches(tmp_path)
    third = tmp_path / "data_batch_3.bin"
    whole = third.read_bytes()
    third.write_bytes(whole[:-5])
    with pytest.raises(InputError, match=r"data_batch_3\.bin: has 24579 bytes, which is no whole number of 3073-byte"):
        load_task(f"cifar10:root={tmp_path}", 0)
    third.write_bytes(whole[:3073] + b"\x0a" + whole[3074:])
    with pytest.raises(InputError, match=r"data_batch_3\.bin: label of row 2: must be from 0 to 9, is 10$"):
        load_task(f"cifar10:root={tmp_path}", 0)
    third.unlink()
    with pytest.raises(InputError, match=r"data_batch_3\.bin: No such file"):
        load_task(f"cifar10:root={tmp_path}", 0)


def test_only_the_binary_version_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With download=true and no files there, the publisher's binary archive is fetched once, with its digest."""
    calls: list[tuple[str, str, str]] = []

    def fetch(url: str, root: str, md5: str) -> None:
        calls.append((url, root, md5))
        write_batches(tmp_path / "cifar-10-batches-bin")

    monkeypatch.setitem(sys.modules, "torchvision", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torchvision.datasets", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "torchvision.datasets.utils", SimpleNamespace(download_and_extract_archive=fetch))
    with pytest.raises(InputError, match=r"^task cifar10: root: no test_batch\.bin"):
        load_task(f"cifar10:root={tmp_path}", 0)
    for _ in range(2):
        assert len(load_task(f"cifar10:root={tmp_path},download=true", 0).train_x) == 40
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
    assert calls == [(url, str(tmp_path), "c32a1d4ab5d03f1284b67883e8d87530")]
