"""What is in a folder, before and after."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from campaign.faults import Fault, FaultKind
from campaign.judging import is_json

Snapshot = Mapping[str, bytes]


def snapshot(folder: Path) -> Snapshot:
    """Return the content of every plain file below a folder by its relative path."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}


def lost(before: Snapshot, after: Snapshot, where: str) -> Iterator[Fault]:
    """Yield a fault for every file that was there and is not, or has changed."""
    for name, content in before.items():
        if name not in after:
            yield Fault(FaultKind.LOST, where, f"{name} has gone")
        elif after[name] != content:
            yield Fault(FaultKind.LOST, where, f"{name} has changed")


def leftovers(before: Snapshot, after: Snapshot, where: str) -> Iterator[Fault]:
    """Yield a fault for every new hidden file: temporary files are hidden."""
    for name in after:
        if name not in before and Path(name).name.startswith("."):
            yield Fault(FaultKind.LEFTOVER, where, name)


def broken(before: Snapshot, after: Snapshot, where: str) -> Iterator[Fault]:
    """Yield a fault for every new or changed file that is not whole."""
    for name, content in after.items():
        if before.get(name) != content and not is_whole(content, Path(name).suffix):
            yield Fault(FaultKind.BROKEN_OUTPUT, where, f"{name}: {content[:40]!r} ... {content[-40:]!r}")


ENDS = {
    ".png": b"IEND\xaeB`\x82",
    ".svg": b"</svg>",
    ".html": b"</html>",
    ".pdf": b"%%EOF",
    ".parquet": b"PAR1",
    ".lp": b"end",
}
"""Suffix -> what a whole file ends with, white space apart."""


def is_whole(content: bytes, suffix: str) -> bool:
    """Return whether a file is complete, as far as its format tells, or the page, document or table in its place."""
    text = content.decode("utf-8", errors="replace")
    if suffix == ".csv":
        return _is_table(text)
    if suffix != ".json" and content.rstrip().endswith(ENDS.get(suffix, b"")):
        return True
    return is_json(text) or content.rstrip().endswith(ENDS[".html"]) or ("," in text and _is_table(text))


def _is_table(text: str) -> bool:
    rows = list(csv.reader(io.StringIO(text)))
    return len({len(row) for row in rows}) == 1 and text.endswith("\n")
