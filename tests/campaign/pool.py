"""Worker processes side by side, each replaced when it dies or hangs."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from campaign.faults import Fault, FaultKind
from campaign.part import Part
from campaign.worker import PREPARE, work

POLL_S = 1.0
PREPARE_LIMIT_S = 600.0

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Setting:
    """What the inputs of one part are tried in."""

    part: Part
    seed: int
    workshop: Path
    output: Path


class _Worker:
    """One process and what it is doing."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.number: int | None = None
        self.since_s = 0.0
        self.connection: Connection
        self.process: BaseProcess
        self._start()

    def _start(self) -> None:
        self.connection, theirs = _SPAWN.Pipe()
        setting = self.setting
        arguments = (theirs, setting.part.name, setting.seed, setting.workshop, setting.output)
        self.process = _SPAWN.Process(target=work, args=arguments)
        self.process.start()
        theirs.close()

    def give(self, number: int) -> None:
        """Let it try an input."""
        self.number, self.since_s = number, time.monotonic()
        self.connection.send(number)

    def take(self) -> list[Fault] | None:
        """Return the faults of its input; None while it is at work."""
        if self.connection.poll():
            try:
                faults: list[Fault] = self.connection.recv()
            except EOFError:
                self.process.join()
                return self._replaced(FaultKind.DIED, f"exit code {self.process.exitcode}")
            self.number = None
            return faults
        if time.monotonic() - self.since_s > self.setting.part.limit_s:
            return self._replaced(FaultKind.HANGS, f"no end in {self.setting.part.limit_s:g} s")
        return None

    def _replaced(self, kind: FaultKind, detail: str) -> list[Fault]:
        self.kill()
        self._start()
        self.number = None
        return [Fault(kind, self.setting.part.name, detail)]

    def end(self) -> None:
        """Let the process end by itself."""
        self.connection.send(None)
        self.process.join(timeout=10)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.process.kill()
        self.process.join()
        self.connection.close()


@dataclass
class Pool:
    """`jobs` workers for the inputs of one part."""

    setting: Setting
    jobs: int
    _workers: list[_Worker] = field(default_factory=list)

    def run(self, numbers: Iterable[int]) -> Iterator[tuple[int, list[Fault]]]:
        """Try the inputs; yield number and faults of each as it ends."""
        waiting = iter(numbers)
        self._workers = [_Worker(self.setting) for _ in range(self.jobs)]
        try:
            while self._feed(waiting):
                wait([worker.connection for worker in self._workers if worker.number is not None], POLL_S)
                yield from self._collect()
            for worker in self._workers:
                worker.end()
        finally:
            for worker in self._workers:
                worker.process.kill()

    def _feed(self, waiting: Iterator[int]) -> bool:
        """Give every idle worker an input; return whether any is at work."""
        for worker in self._workers:
            if worker.number is None and (number := next(waiting, None)) is not None:
                worker.give(number)
        return any(worker.number is not None for worker in self._workers)

    def _collect(self) -> Iterator[tuple[int, list[Fault]]]:
        for worker in self._workers:
            number = worker.number
            if number is not None and (faults := worker.take()) is not None:
                yield number, faults


def prepare(setting: Setting) -> str | None:
    """Make the workshop in a process of its own; return what the part lacks here, if anything.

    Raises
    ------
    RuntimeError
        If it can't be made.
    """
    worker = _Worker(setting)
    try:
        worker.connection.send(PREPARE)
        if not worker.connection.poll(PREPARE_LIMIT_S):
            raise RuntimeError(f"{setting.part.name}: no end of the preparation in {PREPARE_LIMIT_S:g} s")
        missing: str | None = worker.connection.recv()
        worker.end()
    except EOFError as error:
        raise RuntimeError(f"{setting.part.name}: the preparation failed") from error
    finally:
        worker.process.kill()
    return missing
