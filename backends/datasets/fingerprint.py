"""Whether the files of a data set are still what they were, without reading them."""

from __future__ import annotations

import os
from pathlib import Path

Fingerprint = tuple[tuple[str, int, int, int], ...]


def fingerprint(root: Path) -> Fingerprint:
    """Return path, size in bytes and times of change in ns of every file below a folder; links are followed once."""
    found, seen = [], set()
    for folder, folders, names in os.walk(root.expanduser().resolve(), followlinks=True):
        here = os.path.realpath(folder)
        if here in seen:
            folders.clear()
            continue
        seen.add(here)
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 - as `os.walk` gives it, thousands of times
            if os.path.exists(path):  # noqa: PTH110
                about = os.stat(path)  # noqa: PTH116
                found.append((path, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    return tuple(sorted(found))
