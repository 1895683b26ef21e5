"""The metadata of HAM10000."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epsl_opt.backends.datasets.telling import tell_once
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.csv_rows import read_csv
from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import shown

CLASSES = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")
"""In the order of the labels in the published tables of pixels."""

STEM = "ham10000_metadata"
ENDS = (".csv", "", ".tab", ".tsv", ".txt")
"""The archive's own download is tab-separated and ends in `.tab`."""

LESION, IMAGE, DIAGNOSIS = "lesion_id", "image_id", "dx"
NO_LESION = frozenset(("", "nan", "na", "n/a", "none", "null", "<na>"))
"""In lower case; pandas writes some of these."""

PICTURE_END = re.compile(r"\.(?:jpe?g|png|bmp|tiff?|webp)$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Lesions:
    """What is known of each image, in the order of the file `path`; arrays have shape (images,)."""

    path: Path
    image_ids: list[str]
    lesion_ids: NDArray[np.str_]
    labels: IntArray


def read_lesions(root: Path) -> Lesions:
    """Read the metadata in a folder, separated by commas, semicolons or tabs.

    An image without a lesion counts as a lesion of its own, and the log says so.

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        If there are none, a column is missing, an image comes twice, or a diagnosis is unknown.
    """
    path = _metadata(root)
    rows = list(_rows(path))
    if not rows:
        raise InputError(str(path), "holds no rows")
    lesions, images, labels = zip(*rows, strict=True)
    if lone := lesions.count(None):
        count = f"missing for {lone} of {len(rows)} images"
        tell_once(f"{path}: {LESION}: {count}, which are split as if no two were of one lesion")
    groups = [f"lesion {lesion}" if lesion else f"image {image}" for lesion, image, _ in rows]
    return Lesions(path, list(images), np.array(groups), np.array(labels, dtype=np.intp))


def has_metadata(root: Path) -> bool:
    """Return whether a folder holds the metadata of HAM10000."""
    return _find_metadata(root) is not None


def _metadata(root: Path) -> Path:
    found = _find_metadata(root)
    if found is None:
        raise InputError("task ham10000", f"no HAM10000_metadata.csv in {root}", "root")
    return found


def _find_metadata(root: Path) -> Path | None:
    there = {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_file()}
    return next((there[STEM + end] for end in ENDS if STEM + end in there), None)


def _rows(path: Path) -> Iterator[tuple[str | None, str, int]]:
    """Yield lesion, image and label of each row that is not blank."""
    lines = read_csv(path, delimiter=None)
    columns = _columns(next(lines, (0, []))[1], str(path))
    seen: set[str] = set()
    for number, cells in lines:
        if not any(cells):
            continue
        row = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
        image = PICTURE_END.sub("", re.split(r"[\\/]", row[IMAGE])[-1])
        if not image or image in seen:
            problem = f"needs a lesion and an image of its own, got {shown(row.get(LESION, ''))} and {shown(image)}"
            raise InputError(str(path), problem, f"line {number}")
        seen.add(image)
        lesion = row.get(LESION, "")
        yield None if lesion.lower() in NO_LESION else lesion, image, _label(row[DIAGNOSIS], str(path), number)


def _columns(header: list[str], source: str) -> dict[str, int]:
    """Return the places of the columns by name; upper case and columns in between do not matter."""
    names = [name.strip().lower() for name in header]
    for needed in (LESION, IMAGE, DIAGNOSIS):
        if names.count(needed) > 1:
            raise InputError(source, "column comes twice", needed)
        if needed not in names and needed != LESION:
            raise InputError(source, "missing column", needed)
    return {name: names.index(name) for name in (LESION, IMAGE, DIAGNOSIS) if name in names}


def _label(diagnosis: str, source: str, line: int) -> int:
    if diagnosis.lower() not in CLASSES:
        raise InputError(source, f"must be one of {', '.join(CLASSES)}, got {shown(diagnosis)}", f"line {line}, dx")
    return CLASSES.index(diagnosis.lower())
