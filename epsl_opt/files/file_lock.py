"""Locks on open files, which the system lets go of when their process ends, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _BEYOND_TEXT = 1 << 30
    """Windows locks bytes, and lets nobody read them."""

    def lock(descriptor: int) -> None:
        """Lock an open file; raise OSError if another process holds it, or there are no locks."""
        os.lseek(descriptor, _BEYOND_TEXT, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def lock(descriptor: int) -> None:
        """Lock an open file; raise OSError if another process holds it (BlockingIOError), or there are no locks."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def leads_to(path: Path, descriptor: int) -> bool:
    """Return whether a path still leads to an open file: it may have been renamed, or removed before it was locked."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
