"""One finished point of a study as a file of its own, so that a study can be stopped and gone on with."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from epsl_opt.core.distribution import version
from epsl_opt.core.errors import InputError
from epsl_opt.core.record import AsTuple, JsonObject, Name, NonNegativeFloat
from epsl_opt.files.stored_record import Digest, StoredRecord, load_stored
from epsl_opt.plugins.registry import STUDIES, plugin_version
from epsl_opt.plugins.study import Cell, Point, Study

_Integer = Annotated[int, Field(ge=-(10**300), le=10**300)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
StoredRow = dict[str, str | bool | _Integer | _Number | None]
"""Cells by column; every number has a float."""


class PointDocument(StoredRecord):
    """A finished point as a file."""

    format: Literal["epsl-opt/study-point"] = "epsl-opt/study-point"
    version: Literal[1] = 1
    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    study: Name
    point: JsonObject
    rows: Annotated[tuple[StoredRow, ...], AsTuple]
    elapsed_s: NonNegativeFloat
    sha256: Digest = None


def point_key(study: Study, point: Point) -> str:
    """Return the SHA-256 of all that decides a point's rows."""
    kind = type(study)
    parts = {
        "study": study.name,
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "revision": study.revision,
        "versions": [version("epsl-opt"), plugin_version(STUDIES, study.name)],
        "point": dict(point),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, allow_nan=False).encode()).hexdigest()


def run_point(study: Study, key: str, point: Point) -> PointDocument:
    """Run one point here.

    Raises
    ------
    TypeError
        If a cell of a row is no text, number or None.
    """
    start_s = time.perf_counter()
    rows = [_plain({**point, **row}) for row in study.run(point)]
    elapsed_s = time.perf_counter() - start_s
    found = PointDocument(key=key, study=study.name, point=dict(point), rows=tuple(rows), elapsed_s=elapsed_s)
    return found.sealed()


def load_point(path: Path, key: str) -> PointDocument | None:
    """Return the point kept in a file; None if there is none or, with a warning, if the file is damaged."""

    def accept(found: PointDocument) -> None:
        if found.key != key:
            raise InputError(str(path), "is the file of another point", "key")

    return load_stored(PointDocument, path, accept, "running it again")


def _plain(row: Mapping[str, Any]) -> dict[str, Cell]:
    """Return a row as it will be read back: numbers are Python's own, and what is not finite is nothing."""
    return {column: _cell(column, value) for column, value in row.items()}


def _cell(column: str, value: Any) -> Cell:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    if plain is not None and not isinstance(plain, str | int | float):
        raise TypeError(f"column {column!r} holds a {type(plain).__name__}; a cell is text, a number or None")
    return plain
