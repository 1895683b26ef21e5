"""One command line of epsl-opt in this process, with all that it writes and says."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

INTERRUPT_AFTER_S, INTERRUPT_EVERY_S, INTERRUPTS = 10.0, 10.0, 4
"""When Ctrl-C comes, how often, and after how many times more is done."""

TICK_S, WAITING_COUNTS_ONE_IN = 0.5, 6

HIDDEN_WARNINGS = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""What Python does not show to users."""


class NoEnd(BaseException):
    """The command did not react to Ctrl-C."""


@dataclass(frozen=True)
class Surroundings:
    """What a command's standard streams are.

    Parameters
    ----------
    terminal
        Whether standard output looks like a terminal.
    encoding
        Of standard output and error.
    full
        Whether standard output is a disk without space.
    """

    terminal: bool = False
    encoding: str = "utf-8"
    full: bool = False


PIPES = Surroundings()


def draw_surroundings(rng: np.random.Generator) -> Surroundings:
    """Return a terminal or a pipe, now and then one that is poor at characters, rarely a full disk."""
    full = bool(rng.uniform() < 0.02)
    return Surroundings(
        terminal=not full and bool(rng.uniform() < 0.5),
        encoding=str(rng.choice(["utf-8", "ascii", "latin-1"], p=[0.9, 0.07, 0.03])),
        full=full,
    )


@dataclass(frozen=True)
class Outcome:
    """What a command line left behind; `code` is None if an exception came out of it."""

    arguments: tuple[str, ...]
    around: Surroundings
    code: int | None
    stdout: str
    stderr: str
    warnings: tuple[str, ...]
    escaped: str
    elapsed_s: float

    @property
    def line(self) -> str:
        """The command line, to be given to a shell."""
        return shlex.join(["epsl-opt", *self.arguments])


def run_command(
    arguments: Sequence[str],
    *,
    around: Surroundings = PIPES,
    stdin: bytes = b"",
    interrupt_after_s: float = INTERRUPT_AFTER_S,
) -> Outcome:
    """Run a command line as the console script would.

    Parameters
    ----------
    arguments
        After the program's name.
    around
        Its standard streams.
    stdin
        What is on standard input.
    interrupt_after_s
        When Ctrl-C comes.
    """
    code: int | None = None
    escaped = ""
    started_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        with _captured(around, stdin, files), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with _interrupted(interrupt_after_s):
                    code = _exit_code(arguments)
            except BaseException as error:
                escaped = f"{type(error).__name__}: {error}"
        stdout, stderr = (_text(file, around.encoding) for file in files[1:])
    return Outcome(
        arguments=tuple(arguments),
        around=around,
        code=code,
        stdout=stdout,
        stderr=stderr,
        warnings=tuple(_shown(warning) for warning in caught if not issubclass(warning.category, HIDDEN_WARNINGS)),
        escaped=escaped,
        elapsed_s=time.monotonic() - started_s,
    )


def _exit_code(arguments: Sequence[str]) -> int:
    before = sys.argv
    sys.argv = ["epsl-opt", *arguments]
    try:
        _main()()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = before
    return 0


@cache
def _main() -> Any:
    (script,) = entry_points(group="console_scripts", name="epsl-opt")
    return script.load()


@contextlib.contextmanager
def _interrupted(after_s: float) -> Iterator[None]:
    """Send Ctrl-C to a command that takes long; give up on one that goes on.

    What counts is the process's own time, so that a busy machine makes no difference; waiting counts, too, but less.
    """
    began, count = _elapsed_s(), 0

    def tick(*_: object) -> None:
        nonlocal count
        if _elapsed_s() - began < after_s + count * INTERRUPT_EVERY_S:
            return
        count += 1
        if count > INTERRUPTS:
            raise NoEnd
        signal.raise_signal(signal.SIGINT)

    old = signal.signal(signal.SIGALRM, tick)
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = signal.setitimer(signal.ITIMER_REAL, TICK_S, TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        signal.signal(signal.SIGINT, interrupt)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def _elapsed_s() -> float:
    """Return the time that has passed: this process's own, and a fraction of the clock's."""
    return time.process_time() + time.monotonic() / WAITING_COUNTS_ONE_IN


class _Stream(io.TextIOWrapper):
    """Text to a file that may look like a terminal."""

    terminal = False

    def isatty(self) -> bool:
        """Say so."""
        return self.terminal


@contextlib.contextmanager
def _captured(around: Surroundings, stdin: bytes, files: Sequence[BinaryIO]) -> Iterator[None]:
    """Turn the three standard descriptors and streams over to files."""
    with contextlib.ExitStack() as stack:
        ways = [files[0], stack.enter_context(Path("/dev/full").open("wb")) if around.full else files[1], files[2]]
        files[0].write(stdin)
        files[0].seek(0)
        for descriptor, file in enumerate(ways):
            stack.callback(os.close, saved := os.dup(descriptor))
            stack.callback(os.dup2, saved, descriptor)
            os.dup2(file.fileno(), descriptor)
        streams = [sys.stdin, sys.stdout, sys.stderr]
        sys.stdin = _stream(0, "utf-8")
        sys.stdout, sys.stderr = _stream(1, around.encoding, around.terminal), _stream(2, around.encoding)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError, ValueError):
                    stream.flush()
            sys.stdin, sys.stdout, sys.stderr = streams


def _stream(descriptor: int, encoding: str, terminal: bool = False) -> _Stream:
    raw = open(descriptor, "rb" if descriptor == 0 else "wb", closefd=False)  # noqa: SIM115
    stream = _Stream(raw, encoding=encoding, errors="strict" if descriptor < 2 else "backslashreplace")
    stream.terminal = terminal
    return stream


def _text(file: BinaryIO, encoding: str) -> str:
    file.seek(0)
    return file.read().decode(encoding, errors="surrogateescape")


def _shown(warning: warnings.WarningMessage) -> str:
    return f"{warning.category.__name__}: {warning.message} ({warning.filename}:{warning.lineno})"
