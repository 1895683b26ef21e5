"""Which files of a folder are pictures: what systems and programs leave behind is none, the rest is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from epsl_opt.backends.datasets.pictures import suffixes
from epsl_opt.backends.datasets.telling import tell_once

SYSTEM_NAMES = frozenset(
    (
        "$recycle.bin",
        "#recycle",
        "#snapshot",
        "@eadir",
        "@tmp",
        "__macosx",
        "__pycache__",
        "desktop.ini",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "icon\r",
        "lost+found",
        "recycler",
        "system volume information",
        "thumbs.db",
    )
)
"""In lower case; of Windows, macOS, Linux, network storage and Python. Names with a leading dot are hidden anyway."""

SUFFIXES_TOLD = 8


def is_system_file(name: str) -> bool:
    """Return whether a file or folder of this name is hidden or made by a system, and so not part of any data."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def folders_in(place: Path) -> list[Path]:
    """Return the folders in a folder, without those of systems, by name."""
    return sorted(path for path in place.iterdir() if path.is_dir() and not is_system_file(path.name))


def files_below(place: Path) -> Iterator[Path]:
    """Yield all files at any depth, without those of systems; links are followed, each folder is entered once."""
    entered: set[Path] = set()
    waiting = [place]
    while waiting:
        folder = waiting.pop()
        if (real := folder.resolve()) in entered:
            continue
        entered.add(real)
        for path in folder.iterdir():
            if is_system_file(path.name):
                continue
            if path.is_dir():
                waiting.append(path)
            else:
                yield path


def suffixes_in(place: Path) -> Counter[str]:
    """Count the suffixes of the files in a folder itself, without those of systems."""
    return Counter(path.suffix.lower() for path in place.iterdir() if path.is_file() and not is_system_file(path.name))


def pictures_below(place: Path, left_out: Counter[str], task: str) -> list[Path]:
    """Return the pictures at any depth by name; all other files are added to `left_out` by their suffix.

    A link that leads nowhere counts as a picture if its name does, so that whoever reads it says what is wrong.

    Raises
    ------
    InputError
        If Pillow is not installed.
    """
    known = suffixes(task)
    found: list[Path] = []
    for path in files_below(place):
        if path.suffix.lower() in known and (path.is_file() or not path.exists()):
            found.append(path)
        else:
            left_out[path.suffix.lower()] += 1
    return sorted(found)


def tell_left_out(place: Path, left_out: Counter[str]) -> None:
    """Log how many files of which suffix are not part of the data: no pictures, or in no folder of a class."""
    if not left_out:
        return
    told = [f"{count} {suffix or 'without suffix'}" for suffix, count in left_out.most_common(SUFFIXES_TOLD)]
    more = [f"{len(left_out) - SUFFIXES_TOLD} more suffixes"] if len(left_out) > SUFFIXES_TOLD else []
    count = sum(left_out.values())
    what = f"left out {count} file{'s'[: count > 1]}, no pictures or in no class folder"
    tell_once(f"{place}: {what}: {', '.join([*told, *more])}")
