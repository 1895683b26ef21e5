"""A finished point of a study as a file, and the key it is found by."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from epsl_opt.campaigns.store import KeyedRecord, result_key
from epsl_opt.core.record import AsTuple, JsonObject, Name, NonNegativeFloat
from epsl_opt.files.stored_record import Digest
from epsl_opt.plugins.registry import STUDIES
from epsl_opt.plugins.study import Cell, Point, Study
from epsl_opt.solving.provenance import versions

_Integer = Annotated[int, Field(ge=-(10**300), le=10**300)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
StoredRow = dict[str, str | bool | _Integer | _Number | None]
"""Cells by column; every number has a float."""


class PointDocument(KeyedRecord):
    """A finished point as a file."""

    format: Literal["epsl-opt/study-point"] = "epsl-opt/study-point"
    version: Literal[1] = 1
    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    study: Name
    point: JsonObject
    rows: Annotated[tuple[StoredRow, ...], AsTuple]
    elapsed_s: NonNegativeFloat
    versions: JsonObject | None = None
    sha256: Digest = None


def point_key(study: Study, point: Point) -> str:
    """Return the SHA-256 of all that decides a point's rows."""
    asked = {"study": study.name, "revision": study.revision, "point": dict(point)}
    return result_key(STUDIES, study.name, type(study), asked)


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
    return PointDocument(
        key=key,
        study=study.name,
        point=dict(point),
        rows=tuple(rows),
        elapsed_s=elapsed_s,
        versions=dict(versions()),
    )


def _plain(row: Mapping[str, object]) -> dict[str, Cell]:
    """Return a row as it will be read back: numbers are Python's own, and what is not finite is nothing."""
    return {column: _cell(column, value) for column, value in row.items()}


def _cell(column: str, value: object) -> Cell:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    if plain is not None and not isinstance(plain, str | int | float):
        raise TypeError(f"column {column!r} holds a {type(plain).__name__}; a cell is text, a number or None")
    return plain
