"""One command at a time in a folder: a lock that the system lets go of when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.files.file_lock import leads_to, lock

log = logging.getLogger(__name__)

LOCK = ".lock"
"""The file that is locked. It says who holds it; left by a process that was killed, it holds nobody up."""

_NOT_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_MAX_HOLDER = 300


@contextlib.contextmanager
def locked(folder: Path | None) -> Iterator[None]:
    """Keep other commands out of a folder, which is made if it is not there; nothing to do if None.

    A folder that was made for the block and that has nothing in it at the end is removed.

    Raises
    ------
    InputError
        If another process holds it, saying which, where and since when, or if the folder can't be written to.
    """
    if folder is None:
        yield
        return
    made = _make(folder)
    descriptor = _acquire(folder)
    try:
        yield
    finally:
        _release(folder / LOCK, descriptor)
        if made:
            with contextlib.suppress(OSError):  # there is something in it
                folder.rmdir()


def _make(folder: Path) -> bool:
    """Make a folder, and return whether it was not there."""
    try:
        there = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError.from_os(str(folder), error) from error
    return not there


def _acquire(folder: Path) -> int:
    """Return the open lock file, locked."""
    path = folder / LOCK
    while True:
        descriptor = _open(folder, path)
        try:
            _lock(descriptor, folder)
            if leads_to(path, descriptor):
                _write_holder(descriptor)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder has removed it in the meantime


def _open(folder: Path, path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise InputError(str(folder), f"can't be locked: {error.strerror or error}") from error


def _lock(descriptor: int, folder: Path) -> None:
    try:
        lock(descriptor)
    except OSError as error:
        if error.errno in _NOT_HERE:
            log.warning("%s: can't be locked here (%s); see to it that nobody else writes there", folder, error)
            return
        problem = f"is in use by {_holder(descriptor)}; wait for its end, or take another folder"
        raise InputError(str(folder), problem) from error


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _MAX_HOLDER).decode(errors="replace").strip() or "another process"


def _write_holder(descriptor: int) -> None:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    text = f"process {os.getpid()} on {socket.gethostname()} since {since}\n"
    with contextlib.suppress(OSError):  # a full disk: whoever comes is told of another process
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode())


def _release(path: Path, descriptor: int) -> None:
    """Remove the file while it is locked: whoever has opened it sees by that to open another one."""
    if sys.platform == "win32":  # nobody can remove an open file there
        os.close(descriptor)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    if sys.platform != "win32":
        os.close(descriptor)
