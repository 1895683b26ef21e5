"""The loaders on the real files, where they are at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from epsl_opt.backends.datasets.lesions import read_lesions
from epsl_opt.backends.datasets.partition import PartitionKind, partition
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.tasks import load_task

DATA = Path(os.environ.get("EPSL_OPT_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def real(name: str) -> Path:
    """Return a folder of real files, or skip."""
    if not (DATA / name).is_dir():
        pytest.skip(f"no real data in {DATA / name}; EPSL_OPT_DATA says where they are")
    return DATA / name


def test_mnist_test_images_are_the_known_ones() -> None:
    """The published counts of each digit come back from the two sides, 8000 and 2000 images."""
    data = load_task(f"mnist:root={real('mnist')}", 0)
    if data.name == "mnist":
        pytest.skip("all of MNIST is there")
    counts = np.bincount(np.concatenate([data.train_y, data.test_y]))
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (len(data.train_y), len(data.test_y)) == (8000, 2000)
    assert data.input_shape == (1, 28, 28)


def test_ham10000_has_no_lesion_on_both_sides() -> None:
    """All 10,015 images of 7,470 lesions are there; each class is held out to a fifth, no lesion in part."""
    root = real("ham10000")
    with (root / "HAM10000_metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = load_task(f"ham10000:root={root}", 0)
    lesions = read_lesions(root)
    train, test = split(lesions.labels, 0.2, 0, lesions.lesion_ids)
    assert np.array_equal(data.test_y, lesions.labels[test])
    assert not {rows[i]["lesion_id"] for i in train} & {rows[i]["lesion_id"] for i in test}
    assert len(train) + len(test) == len(rows) == 10015
    counts, held_out = np.bincount(lesions.labels), np.bincount(data.test_y)
    assert (abs(held_out - 0.2 * counts) <= 2).all()
    assert data.majority_rate == pytest.approx(0.6695, abs=0.002)


@pytest.mark.parametrize("kind", PartitionKind)
def test_real_labels_are_partitioned_whole(kind: PartitionKind) -> None:
    """Every training sample of HAM10000 is with exactly one of 20 clients."""
    labels = load_task(f"ham10000:root={real('ham10000')}", 0).train_y
    parts = partition(labels, kind, [1.0] * 20, 0, alpha=0.1)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(labels)))
