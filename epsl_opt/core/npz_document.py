"""Instances as `.npz`: the document's JSON beside its large arrays; nothing is pickled, sizes are checked first."""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.json_text import parse_json, read_json
from epsl_opt.core.plain_text import shown
from epsl_opt.core.reading import MAX_BYTES, STDIN

SUFFIX = ".npz"
DOCUMENT = "document"
"""The member that holds all but the large arrays: UTF-8 JSON as bytes, shape (bytes,)."""

ARRAYS = ("uplink_gain", "downlink_gain")
"""Fields of `channel` that are members of their own, `channel.NAME`: float64, shape (clients, subchannels)."""

MEMBERS = (DOCUMENT, *(f"channel.{name}" for name in ARRAYS))
_VERSIONS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError)


def is_npz(source: str | Path) -> bool:
    """Return whether a source is read as `.npz`: by its suffix, standard input never."""
    return str(source) != STDIN and Path(source).suffix.lower() == SUFFIX


def read_document(source: str | Path) -> Any:
    """Return the document of an instance file, JSON or, by its suffix, `.npz`; the fields are not checked.

    Raises
    ------
    InputError
        Naming the file and the member, if it can't be read.
    """
    return _read_npz(str(source)) if is_npz(source) else read_json(source)


def npz_bytes(document: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> bytes:
    """Return an instance's document as `.npz`, uncompressed.

    Parameters
    ----------
    document
        All but the large arrays.
    arrays
        Those of `ARRAYS`, by name.
    """
    text = np.frombuffer(json.dumps(document, allow_nan=False, ensure_ascii=False).encode(), dtype=np.uint8)
    content = io.BytesIO()
    members: dict[str, Any] = {DOCUMENT: text} | {f"channel.{name}": arrays[name] for name in ARRAYS}
    np.savez(content, **members)
    return content.getvalue()


def _read_npz(source: str) -> Any:
    try:
        with zipfile.ZipFile(source) as archive:
            _refuse_members(source, archive)
            text = _member(source, archive, DOCUMENT, "|u1", 1).tobytes()
            arrays = {name: _member(source, archive, f"channel.{name}", "<f8", 2) for name in ARRAYS}
    except _DAMAGE as error:
        raise InputError(source, f"is no whole .npz file: {error}") from error
    except OSError as error:
        raise InputError.from_os(source, error) from error
    except MemoryError as error:
        raise InputError(source, "does not fit the memory") from error
    return _joined(source, text, arrays)


def _joined(source: str, text: bytes, arrays: Mapping[str, FloatArray]) -> Any:
    """Put the arrays into the document, which must not have them, too."""
    try:
        document = parse_json(text.decode(), source)
    except UnicodeDecodeError as error:
        raise InputError(source, "is not UTF-8 text", DOCUMENT) from error
    channel = document.get("channel") if isinstance(document, dict) else None
    if isinstance(channel, dict):
        for name in ARRAYS:
            if name in channel:
                raise InputError(source, f"is given twice, in {DOCUMENT} and as an array", f"channel.{name}")
        channel.update(arrays)
    return document


def _refuse_members(source: str, archive: zipfile.ZipFile) -> None:
    """Every member is known, there once, and all together are no larger than a file may be."""
    names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
    for name in names:
        if name not in MEMBERS:
            raise InputError(source, f"unknown member (expected {', '.join(MEMBERS)})", shown(name))
        if names.count(name) > 1:
            raise InputError(source, "member is given twice", name)
    for name in MEMBERS:
        if name not in names:
            raise InputError(source, "missing member", name)
    if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
        raise InputError(source, f"unpacks to more than {MAX_BYTES} bytes")


def _member(source: str, archive: zipfile.ZipFile, name: str, dtype: str, ndim: int) -> Any:
    """Return a member as a read-only array; its header must say what it holds, and hold no more and no less."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version not in _VERSIONS:
            raise InputError(source, "is of an unknown .npy version", name)
        shape, fortran, found = _VERSIONS[version](file)
        if found.str != dtype or len(shape) != ndim:
            kind = "UTF-8 text as uint8" if ndim == 1 else "a matrix of little-endian float64"
            raise InputError(source, f"must be {kind}, is {found.str} of {len(shape)} dimensions", name)
        size = math.prod(shape) * found.itemsize
        content = file.read(info.file_size)
    if min(shape) < 0 or len(content) != size:
        raise InputError(source, f"holds {len(content)} bytes, but its shape {shape} takes {size}", name)
    return np.ndarray(shape, found, content, order="F" if fortran else "C")
