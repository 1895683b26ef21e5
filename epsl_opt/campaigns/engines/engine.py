"""The interface of an engine: places at which tasks are run, one at a time each."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

Function = Callable[[Any], Any]


class Task(NamedTuple):
    """A call of a campaign's function: a key, a few words for the user, and the argument."""

    key: str
    label: str
    argument: Any


@dataclass(frozen=True)
class Done:
    """The function returned."""

    value: Any


@dataclass(frozen=True)
class Failed:
    """The function raised, or took its process down: one line, and the traceback if there is one."""

    message: str
    trace: str = ""


@dataclass(frozen=True)
class Died:
    """The process that ran the task has gone, the task may be blameless; it is, if the process was to go anyway."""

    message: str
    retired: bool = False


Outcome = Done | Failed


class Place(ABC):
    """Where one task at a time is run."""

    @abstractmethod
    def start(self, function: Function, argument: Any) -> Future[Outcome]:
        """Begin a task."""

    @abstractmethod
    def outcome(self, future: Future[Outcome]) -> Outcome | Died | None:
        """Return what became of the task that `start` returned; None if it is still running."""


class Engine(ABC):
    """Where tasks are run; to be closed, or used as a context manager.

    Attributes
    ----------
    threads
        How many threads a task computes on; None if nobody sees to that.
    shares_files
        Whether tasks see the caller's files.
    """

    threads: int | None = None
    shares_files: bool = True

    @abstractmethod
    def places(self, wanted: int) -> Sequence[Place]:
        """Return where tasks can be run now, busy or not; `wanted` of them are of use.

        Raises
        ------
        EngineError
            If there is none and none comes.
        """

    def look(self) -> None:  # noqa: B027 - nothing to do for most
        """See which places have gone.

        Raises
        ------
        EngineError
            If all have, for good.
        """

    def end(self) -> None:  # noqa: B027 - nothing to do for some
        """End whatever is still running."""

    def close(self) -> None:
        """End whatever is running and let go of everything."""
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()


def attempt(function: Function, argument: Any) -> Outcome:
    """Call the function; what it raises is told in a form that gets through any pipe."""
    try:
        return Done(function(argument))
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}", traceback.format_exc())
