"""Text from files and from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from epsl_opt.core.errors import InputError

STDIN = "-"

MAX_BYTES = 2**30
"""Of a file: more than any instance that fits a memory has, and an end to what has none, such as /dev/zero."""


def read_text(source: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """Return UTF-8 text (`-` is standard input), without a byte order mark.

    Raises
    ------
    InputError
        If it can't be read, is no text, or is too long.
    """
    name = source_name(source)
    try:
        content = _read(source, max_bytes + 1)
        if len(content) > max_bytes:
            raise InputError(name, f"is longer than {max_bytes} bytes")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(name, "is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise InputError.from_os(name, error) from error
    except MemoryError as error:
        raise InputError(name, "does not fit the memory") from error


def source_name(source: str | Path) -> str:
    """Return how to call a source in messages."""
    return "standard input" if str(source) == STDIN else str(source)


def is_readable(source: str) -> bool:
    """Return whether a text names something to read: a file, a device, a FIFO, `-`.

    Of one that can't be looked at this is said, too: reading it tells why.
    """
    try:
        return source == STDIN or (Path(source).exists() and not Path(source).is_dir())
    except PermissionError:
        return True
    except OSError:  # a scenario's options may be longer than any file's name
        return False


def _read(source: str | Path, size: int) -> bytes:
    if str(source) != STDIN:
        with Path(source).open("rb") as file:
            return file.read(size)
    stream = getattr(sys.stdin, "buffer", sys.stdin)
    content: bytes | str = stream.read(size)
    return content.encode() if isinstance(content, str) else content
