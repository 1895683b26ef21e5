"""Whether the files of a data set are still what they were, without reading them."""

from __future__ import annotations

from pathlib import Path

from epsl_opt.backends.datasets.picture_files import files_below

Fingerprint = tuple[tuple[Path, int, int, int], ...]


def fingerprint(root: Path) -> Fingerprint:
    """Return path, size in bytes and times of change in ns of every file below a folder, without those of systems.

    Raises
    ------
    OSError
        If the folder or one below it can't be looked at.
    """
    there = [(path, path.stat()) for path in files_below(root.expanduser().resolve()) if path.exists()]
    return tuple(sorted((path, about.st_size, about.st_mtime_ns, about.st_ctime_ns) for path, about in there))
