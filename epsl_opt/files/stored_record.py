"""Records that a later command relies on: they carry their own digest, and a damaged one is made again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar

from pydantic import Field

from epsl_opt.core.distribution import NAME
from epsl_opt.core.errors import InputError
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import read_json
from epsl_opt.core.record import Record, canonical_sha256

log = logging.getLogger(__name__)

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Digest = Annotated[Sha256 | None, Field(description="digest of the rest of this record as canonical JSON")]


class StoredRecord(Record):
    """A record with a digest of itself; one without it, as older versions wrote them, is taken as it is."""

    not_in_digest: ClassVar[frozenset[str]] = frozenset()
    versions_in: ClassVar[tuple[str, ...]] = ("versions",)

    if TYPE_CHECKING:  # a field of each kind itself, and its last one
        sha256: Digest = None

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists; null where there is nothing."""
        document = self.model_dump(mode="python")
        late = {name: document.pop(name) for name in _late_fields(self)}
        return document | {name: value for name, value in late.items() if value is not None}

    def sealed(self) -> Self:
        """Return the record with its digest."""
        return self.model_copy(update={"sha256": self.digest()})

    @property
    def as_written(self) -> bool:
        """Whether it is what was written, as far as it can tell."""
        return self.sha256 in (None, self.digest())

    @property
    def made_by(self) -> str | None:
        """The version of epsl-opt that made it; None if it does not tell."""
        found: object = self.to_document()
        for name in (*self.versions_in, NAME):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, str) else None

    def digest(self) -> str:
        """Return the SHA-256 of all that the digest covers."""
        left_out = self.not_in_digest | {"sha256"}
        return canonical_sha256({name: value for name, value in self.to_document().items() if name not in left_out})


StoredT = TypeVar("StoredT", bound=StoredRecord)


def read_stored(kind: type[StoredT], path: Path) -> StoredT:
    """Read a stored record.

    Raises
    ------
    InputError
        Naming the file, if it can't be read or is not what was written.
    """
    found = parse_record(kind, read_json(path), str(path))
    if not found.as_written:
        raise InputError(str(path), "is not what was written: its digest is another one", "sha256")
    return found


def load_stored(kind: type[StoredT], path: Path, accept: Callable[[StoredT], None], instead: str) -> StoredT | None:
    """Return the record in a file; None if there is no file or, with a warning, if it is damaged.

    Parameters
    ----------
    accept
        Raises an InputError if it is not the record that is looked for.
    instead
        What is done then, for the warning.
    """
    if not os.path.lexists(path):
        return None
    try:
        found = read_stored(kind, path)
        accept(found)
    except InputError as error:
        log.warning("%s; %s", error, instead)
        return None
    return found


def key_of(asked: Mapping[str, object]) -> str:
    """Return the SHA-256 by which is kept what came of a question."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _late_fields(record: StoredRecord) -> list[str]:
    """Return the fields that older versions did not write; they come last, and only where they are given."""
    return [name for name, field in type(record).model_fields.items() if field.default is None]
