"""A new file beside the one it will replace; what a killed process left of one is cleared away by the next writer.

Who writes a draft holds a lock on it, which ends with the process however that ends: a draft that nobody has locked is
a dead one, on whatever host and whatever process has the same number today.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from epsl_opt.files.file_lock import leads_to, lock

_NAME_LENGTH = 50
"""Characters of the target's name in a draft's: any target's draft has a name that a file system takes."""

_SIDE_BY_SIDE = 8
"""So many writers of one file at a time are looked for when dead drafts are cleared away."""


@contextmanager
def draft(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a new file beside `target`; it is removed at the end of the block unless it was renamed in it.

    Raises
    ------
    OSError
        If the folder does not take it.
    """
    for number in range(_SIDE_BY_SIDE):
        _clear(_path(target, number))
    path, descriptor = next(found for number in count() if (found := _create(_path(target, number))) is not None)
    mine = os.fstat(descriptor)
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield file, path
        finally:
            with suppress(FileNotFoundError):
                if os.path.samestat(path.lstat(), mine):  # not renamed; the file may be closed
                    path.unlink()


def _path(target: Path, number: int) -> Path:
    return target.with_name(f".{target.name[:_NAME_LENGTH]}.{number}.epsl-opt.tmp")


def _create(path: Path) -> tuple[Path, int] | None:
    """Return a new file that is ours; None if there is one, or somebody clears it away before it is locked."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except FileExistsError:
        return None
    if _lock(descriptor, unsupported=True) and leads_to(path, descriptor):
        return path, descriptor
    os.close(descriptor)
    return None


def _clear(path: Path) -> None:
    """Remove a draft if it is a dead one."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return
    try:
        is_draft = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if is_draft and _lock(descriptor, unsupported=False) and leads_to(path, descriptor):
            with suppress(OSError):
                path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, *, unsupported: bool) -> bool:
    """Return whether the file is ours now; `unsupported` is the answer where there are no locks."""
    if sys.platform == "win32":
        return unsupported
    try:
        lock(descriptor)
    except BlockingIOError:
        return False
    except OSError:
        return unsupported
    return True
