"""The interface of an engine: places at which tasks are run, one at a time each."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Self, TypeVar

ArgumentT = TypeVar("ArgumentT")
ArgumentT_co = TypeVar("ArgumentT_co", covariant=True)
ValueT = TypeVar("ValueT")
ValueT_co = TypeVar("ValueT_co", covariant=True)


LOOK_EVERY_S = 0.5


class Task(NamedTuple, Generic[ArgumentT_co]):
    """A call of a campaign's function: a key, a few words for the user, and the argument."""

    key: str
    label: str
    argument: ArgumentT_co


@dataclass(frozen=True)
class Done(Generic[ValueT_co]):
    """The function returned."""

    value: ValueT_co


@dataclass(frozen=True)
class Failed:
    """The function raised, or took its process down: one line, a traceback if there is one, the error if it is here."""

    message: str
    trace: str = ""
    error: Exception | None = field(default=None, compare=False)

    @classmethod
    def by(cls, error: BaseException) -> Self:
        """Return what is told of an error in a form that gets through any pipe."""
        return cls(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


@dataclass(frozen=True)
class Died:
    """The process that ran the task has gone, the task may be blameless; it is, if the process was to go anyway."""

    message: str
    retired: bool = False


Outcome = Done[ValueT] | Failed

Outcomes = Generator[tuple[Task[ArgumentT], Outcome[ValueT]], None, None]


class Place(ABC):
    """Where one task at a time is run."""

    @abstractmethod
    def start(self, function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Future[Outcome[ValueT]]:
        """Begin a task."""

    @abstractmethod
    def outcome(self, future: Future[Outcome[ValueT]]) -> Outcome[ValueT] | Died | None:
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


def attempt(function: Callable[[ArgumentT], ValueT], argument: ArgumentT) -> Outcome[ValueT]:
    """Call the function; what it raises is told in a form that gets through any pipe."""
    try:
        return Done(function(argument))
    except Exception as error:
        return Failed.by(error)
