"""Pictures that are trained on and tested with as well."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from epsl_opt.backends.datasets.telling import tell_once


def tell_twins(training: Sequence[Path], testing: Sequence[Path]) -> None:
    """Log how many files to test with are byte for byte among those to train on.

    Raises
    ------
    OSError
        If a file can't be read.
    """
    pairs = twins(training, testing)
    if pairs:
        twin, original = pairs[0]
        count = f"{len(pairs)} of {len(testing)} test pictures"
        tell_once(f"{count} are also trained on: {twin} is {original}, for one")


def twins(training: Sequence[Path], testing: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Return the files to test with that have the content of one to train on, with that one.

    Raises
    ------
    OSError
        If a file can't be read.
    """
    sizes = {path: path.stat().st_size for path in (*training, *testing)}
    shared = {sizes[path] for path in training} & {sizes[path] for path in testing}
    of_content = {content_digest(path): path for path in reversed(training) if sizes[path] in shared}
    digests = ((path, content_digest(path)) for path in testing if sizes[path] in shared)
    return [(path, of_content[digest]) for path, digest in digests if digest in of_content]


def content_digest(path: Path) -> bytes:
    """Return a digest of what a file holds.

    Raises
    ------
    OSError
        If the file can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
