"""Instance files that arrive in a folder: found by looking, read when whole, left out when newer ones are there."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.npz_document import read_document

SUFFIXES = (".json", ".npz")

SETTLED_S = 0.5
"""A file that is no JSON and has not changed for so long is not being written any more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Version:
    """One content of a file: equal while nobody has written or replaced it; `came_ns` is when it came by this name."""

    name: str
    modified_ns: int
    size: int
    inode: int
    came_ns: int = field(compare=False)


@dataclass(frozen=True)
class Arrival:
    """A file that was read.

    Parameters
    ----------
    path, instance
        Of the file, and what it holds.
    came_s
        Seconds since the epoch at which it came; for a file that was there at first, at which reading began.
    wait_s, read_s
        From then to the beginning of reading, and what reading took, validation included.
    skipped
        How many files were left out for this one.
    """

    path: Path
    instance: Instance
    came_s: float
    wait_s: float
    read_s: float
    skipped: int = 0


class Folder:
    """The instance files of a folder that have not been taken yet.

    Files that are there at first come in the order of their names. What comes later is taken before those, the newest
    first, and all that is older is left out; or, if `every` is set, after those in the order in which it came. Names
    that begin with a dot or do not end in `.json` or `.npz` are left alone. A file that is replaced is a new one.
    `prepare` is applied to every instance; what it refuses by an `InputError` counts as unreadable.

    Raises
    ------
    InputError
        If it is no folder.
    """

    def __init__(
        self, folder: Path, every: bool = False, prepare: Callable[[Instance], Instance] | None = None
    ) -> None:
        self._folder, self._every, self._prepare = folder, every, prepare
        self._taken: set[Version] = set()
        self._unread: dict[Version, tuple[float, InputError]] = {}
        self._first = set(self._scan())
        self.faults = 0

    def take(self) -> Arrival | None:
        """Read the file whose turn it is; None if none is waiting. What can't be read is logged and counted.

        Raises
        ------
        InputError
            If the folder can't be looked at any more.
        """
        turns = self._turns()
        for place, version in enumerate(turns):
            overtakes = not self._every and version not in self._first
            if (arrival := self._read(version, turns[place + 1 :] if overtakes else [])) is not None:
                return arrival
        return None

    @property
    def is_empty(self) -> bool:
        """Whether every file has been taken, left out or given up."""
        return not self._turns()

    def _turns(self) -> list[Version]:
        """What has not been taken, in the order in which it is tried."""
        found = set(self._scan())
        self._taken &= found
        self._unread = {version: since for version, since in self._unread.items() if version in found}
        first = sorted((found & self._first) - self._taken, key=lambda version: version.name)
        later = sorted(found - self._first - self._taken, key=lambda version: (version.came_ns, version.name))
        return first + later if self._every else later[::-1] + first

    def _read(self, version: Version, overtaken: list[Version]) -> Arrival | None:
        """Read a file; what is no JSON or `.npz` (yet) is left until it has settled."""
        if version in self._unread:
            since_s, error = self._unread[version]
            if time.monotonic() - since_s > SETTLED_S:
                self._give_up(version, error)
            return None
        path, now_s, start_s = self._folder / version.name, time.time(), time.perf_counter()
        try:
            data = read_document(path)
        except InputError as error:
            self._unread[version] = time.monotonic(), error
            return None
        try:
            instance = parse_record(Instance, data, str(path))
            instance = instance if self._prepare is None else self._prepare(instance)
        except InputError as error:
            self._give_up(version, error)
            return None
        self._taken |= {version, *overtaken}
        for older in overtaken:
            log.info("%s left out: %s is newer", older.name, version.name)
        read_s = time.perf_counter() - start_s
        came_s = now_s if version in self._first else min(version.came_ns * 1e-9, now_s)
        return Arrival(path, instance, came_s, now_s - came_s, read_s, len(overtaken))

    def _give_up(self, version: Version, error: InputError) -> None:
        self._taken.add(version)
        self._unread.pop(version, None)
        self.faults += 1
        path = str(self._folder / version.name)
        log.warning("skipped %s", error if error.source == path else f"{path}: {error}")

    def _scan(self) -> Iterator[Version]:
        try:
            with os.scandir(self._folder) as entries:
                named = [entry for entry in entries if entry.name.endswith(SUFFIXES) and not entry.name.startswith(".")]
        except OSError as error:
            raise InputError.from_os(str(self._folder), error) from error
        for entry in named:
            try:
                status, is_file = entry.stat(), entry.is_file()
            except OSError:  # gone already
                continue
            if is_file:
                came_ns = max(status.st_mtime_ns, status.st_ctime_ns)  # a file that is moved here keeps its mtime
                yield Version(entry.name, status.st_mtime_ns, status.st_size, status.st_ino, came_ns)
