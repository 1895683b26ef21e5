"""The metadata of HAM10000."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epsl_opt.arrays import IntArray
from epsl_opt.errors import InputError

CLASSES = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")
"""In the order of the labels in the published tables of pixels."""

FILE_NAMES = ("HAM10000_metadata.csv", "HAM10000_metadata")
COLUMNS = ("lesion_id", "image_id", "dx")


@dataclass(frozen=True, eq=False)
class Lesions:
    """What is known of each image, in the order of the file `path`; arrays have shape (images,)."""

    path: Path
    image_ids: list[str]
    lesion_ids: NDArray[np.str_]
    labels: IntArray


def read_lesions(root: Path) -> Lesions:
    """Read the metadata in a folder.

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        If there are none, a column is missing, an image comes twice, or a diagnosis is unknown.
    """
    path = next((root / name for name in FILE_NAMES if (root / name).is_file()), None)
    if path is None:
        raise InputError("task ham10000", f"no {FILE_NAMES[0]} in {root}", "root")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _columns(csv.DictReader(file), str(path))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(str(path), f"is not CSV text: {error}") from error
    lesions, images, labels = zip(*rows, strict=True)
    return Lesions(path, list(images), np.array(lesions), np.array(labels, dtype=np.intp))


def _columns(reader: csv.DictReader[str], source: str) -> list[tuple[str, str, int]]:
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(source, "missing column", missing[0])
    found: list[tuple[str, str, int]] = []
    seen: set[str] = set()
    for row in reader:
        lesion, image, diagnosis = (row[column] or "" for column in COLUMNS)
        where = f"line {reader.line_num}"
        if not lesion or not image or image in seen:
            raise InputError(source, f"needs a lesion and an image of its own, got {lesion!r} and {image!r}", where)
        if diagnosis not in CLASSES:
            raise InputError(source, f"must be one of {', '.join(CLASSES)}, got {diagnosis!r}", f"{where}, dx")
        seen.add(image)
        found.append((lesion, image, CLASSES.index(diagnosis)))
    if not found:
        raise InputError(source, "holds no rows")
    return found
