"""Where a benchmark writes: into a page of the documentation, or into a copy that leaves the documentation alone."""

from __future__ import annotations

from pathlib import Path


def destination(page: Path, quick_folder: Path | None) -> Path:
    """Return the page itself, or a fresh copy of it in `quick_folder`, which is made if it is not there."""
    if quick_folder is None:
        return page
    copy = quick_folder / page.name
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(page.read_bytes())
    return copy
