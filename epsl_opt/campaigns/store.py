"""Finished results on disk, one file each, found again by the key of what was asked for."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from epsl_opt.core.distribution import version
from epsl_opt.core.errors import InputError
from epsl_opt.files.json_files import prepare_folder, write_record
from epsl_opt.files.stored_record import StoredRecord, key_of, load_stored, read_stored
from epsl_opt.plugins.registry import plugin_version

log = logging.getLogger(__name__)

StoredT_co = TypeVar("StoredT_co", bound=StoredRecord, covariant=True)


@dataclass(frozen=True)
class Results(Generic[StoredT_co]):
    """What a folder keeps: files of one kind, by a pattern, which messages call by a noun."""

    folder: Path
    kind: type[StoredT_co]
    noun: str
    files: str = "*.json"

    def tell_other_versions(self) -> None:
        """Say, once in a process, how many are of other versions of epsl-opt, which never count for this one."""
        _tell_other_versions(self, version())


class KeyedRecord(StoredRecord):
    """A result with the key of what was asked for."""

    if TYPE_CHECKING:  # a field of each kind itself, after its format and version
        key: str


KeyedT = TypeVar("KeyedT", bound=KeyedRecord)


class Store(Results[KeyedT]):
    """Results in a file each, which is called by its key."""

    def load(self, key: str, accept: Callable[[KeyedT, str], None] | None = None) -> KeyedT | None:
        """Return the result kept under a key; None if there is none or, with a warning, if its file is damaged.

        Parameters
        ----------
        key
            Of what is asked for.
        accept
            Called with the result and the name of its file; raises an InputError if it is not what it should be.
        """
        path = self.path(key)

        def check(found: KeyedT) -> None:
            if found.key != key:
                raise InputError(str(path), f"is the file of another {self.noun}", "key")
            if accept is not None:
                accept(found, str(path))

        return load_stored(self.kind, path, check, "running it again")

    def save(self, record: KeyedT) -> None:
        """Keep a result; where that fails, it is told, and the campaign goes on."""
        try:
            prepare_folder(self.folder)
            write_record(self.path(record.key), record.sealed())
        except InputError as error:
            log.warning("%s; this %s is not kept", error, self.noun)

    def path(self, key: str) -> Path:
        """Return the file of a key."""
        return self.folder / f"{key}.json"


def result_key(group: str, name: str, kind: type[object], asked: Mapping[str, object]) -> str:
    """Return the SHA-256 of all that decides a result: what is asked, the plug-in's class, its version and our own.

    So what another version of the code has made is never found again.
    """
    code = {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "versions": [version(), plugin_version(group, name)],
    }
    return key_of(code | dict(asked))


@cache
def _tell_other_versions(kept: Results[StoredRecord], ours: str) -> None:
    found: Counter[str] = Counter()
    for path in kept.folder.glob(kept.files):
        try:
            found[read_stored(kept.kind, path).made_by or ours] += 1
        except InputError:  # told where it is asked for
            continue
    del found[ours]
    if found:
        made = ", ".join(f"{count} by {theirs}" for theirs, count in sorted(found.items()))
        log.warning(
            "%s: holds %ss that other versions of epsl-opt have made (%s); this one, %s, makes what is asked for again",
            *(kept.folder, kept.noun, made, ours),
        )
