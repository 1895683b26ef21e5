"""How a result gets to where the user wants it: the one place that decides what becomes of what is there already.

A file is replaced whole or not at all, at the end of a link if it is one; devices, FIFOs and open descriptors
(`/dev/stdout`, `/dev/fd/3`) are written to; a folder is refused.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.core.reading import is_readable
from epsl_opt.files.draft import draft

_DESCRIPTOR = re.compile(r"/(?:dev|proc/(?:self|thread-self))/fd/(\d{1,9})")
_MAX_LINKS = 40


def write_bytes(path: str | Path, content: bytes, durable: bool = True) -> None:
    """Replace the file by `content` in one step, so that a reader sees the old one or the new one; see the module.

    It outlasts a power cut unless `durable` is false, which spares waiting for the disk.

    Raises
    ------
    InputError
        If the folder does not exist or can't be written to.
    """
    target = Path(path)
    try:
        if (descriptor := _descriptor(target)) is not None:
            _pour(os.dup(descriptor), content)
        elif _is_stream(target):
            _pour(os.open(target, os.O_WRONLY | getattr(os, "O_NOCTTY", 0)), content)
        else:
            _replace(_end_of(target), content, durable)
    except (OSError, ValueError) as error:
        raise InputError.from_os(str(path), error) from error


def refuse_unwritable(path: str | None, *inputs: str) -> None:
    """Raise before long work if its result could not be written to `path`, or would replace an input.

    Raises
    ------
    InputError
        If the folder is missing or read-only, `path` is a folder, has a name that no file can have, or is one of
        `inputs`.
    """
    if path is None:
        return
    target = Path(path)
    try:
        if (descriptor := _descriptor(target)) is not None:
            _refuse_read_only(descriptor)
        elif _is_stream(target):
            _refuse_no_access(target)
        else:
            _refuse_folder(path, _end_of(target).parent)
            with draft(_end_of(target)):
                pass
            _refuse_inputs(path, inputs)
    except (OSError, ValueError) as error:
        raise InputError.from_os(path, error) from error


def _pour(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _replace(target: Path, content: bytes, durable: bool) -> None:
    with draft(target) as (file, path):
        if target.exists():
            path.chmod(target.stat().st_mode & 0o777)
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
        if sys.platform == "win32":  # an open file can't be renamed there
            file.close()
        path.replace(target)


def _descriptor(target: Path) -> int | None:
    """Return the number of this process's open descriptor that a path names, itself or through links; else None."""
    for _ in range(_MAX_LINKS):
        if found := _DESCRIPTOR.fullmatch(os.path.abspath(target)):  # noqa: PTH100 - resolving would go past it
            return int(found[1])
        if not target.is_symlink():
            return None
        target = target.parent / target.readlink()
    return None


def _is_stream(target: Path) -> bool:
    """Return whether there is something that is written to rather than replaced."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    return not stat.S_ISREG(mode)


def _end_of(target: Path) -> Path:
    """Follow links, the last of which may lead to nothing yet."""
    return Path(os.path.realpath(target)) if target.is_symlink() else target


def _refuse_folder(path: str, folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(path, f"folder {str(folder)!r} does not exist")
    if not os.access(folder, os.W_OK):
        raise InputError(path, f"folder {str(folder)!r} is not writable")


def _refuse_inputs(path: str, inputs: tuple[str, ...]) -> None:
    there = [name for name in inputs if is_readable(name)]
    if Path(path).exists() and any(Path(path).samefile(name) for name in there):
        raise InputError(path, "is the input file; give the output another name")


def _refuse_no_access(target: Path) -> None:
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refuse_read_only(descriptor: int) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "is open for reading only")
