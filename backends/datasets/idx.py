"""Reading IDX, the format of the MNIST family: a magic number, big-endian sizes, then bytes."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from epsl_opt.core.errors import InputError

UNSIGNED_BYTE = 8
GZIP_MAGIC = b"\x1f\x8b"
MAX_BYTES = 2**31
"""More is no data set of this family; a damaged header asks for it."""


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed by gzip or not (told by content, not by name).

    Raises
    ------
    OSError
        If the file can't be read.
    InputError
        If it is of another format, or ends too early or too late.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == GZIP_MAGIC
            file.seek(0)
            return _read(cast("IO[bytes]", gzip.open(file)) if compressed else file, str(path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(str(path), f"is damaged: {error}") from error


def _read(file: IO[bytes], source: str) -> NDArray[np.uint8]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != UNSIGNED_BYTE or not magic[3]:
        raise InputError(source, "is not an IDX file of unsigned bytes")
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise InputError(source, "ends within its header")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    expected = math.prod(shape)
    if expected > MAX_BYTES:
        raise InputError(source, f"claims to hold {expected} bytes; its header is damaged")
    body = file.read(expected + 1)
    if len(body) != expected:
        found = f"only {len(body)}" if len(body) < expected else "more"
        raise InputError(source, f"should hold {expected} bytes after its header, but holds {found}")
    return np.frombuffer(body, dtype=np.uint8).reshape(shape)
