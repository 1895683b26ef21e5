"""A campaign: what is asked for, by key. What is kept counts, an engine makes the rest, and Ctrl-C ends it."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

from epsl_opt.campaigns.engines import Engine, Failed, Outcomes, Task, ThisProcess
from epsl_opt.campaigns.store import Results
from epsl_opt.core.plain_text import one_line
from epsl_opt.files.stored_record import StoredRecord

JobT = TypeVar("JobT")
ValueT = TypeVar("ValueT")
ResultT = TypeVar("ResultT")


class Campaign(ABC, Generic[JobT, ValueT, ResultT]):
    """Jobs by their keys, the values that an engine returns for them, and the results that these are taken for.

    Attributes
    ----------
    found
        What came of a job, by its key: kept from before, or made now.
    failed
        Why a job came to no end of its own, by its key.
    reused
        How many were kept from before.
    """

    def __init__(self, jobs: Mapping[str, JobT], kept: Results[StoredRecord] | None, engine: Engine) -> None:
        self.jobs, self.engine, self._kept = jobs, engine, kept
        self.found: dict[str, ResultT] = {}
        self.failed: dict[str, str] = {}
        self.reused = 0

    def run(self) -> None:
        """Make what is not kept; end early if the user interrupts.

        Raises
        ------
        EngineError
            If what makes it has gone.
        """
        with contextlib.suppress(KeyboardInterrupt):
            self._reuse()
            self.tell()
            left = {key: job for key, job in self.jobs.items() if key not in self.found}
            with contextlib.closing(self.make(left)) as outcomes:
                for task, outcome in outcomes:
                    if isinstance(outcome, Failed):
                        self.fail(task, outcome)
                    elif (result := self.keep(task.key, outcome.value)) is not None:
                        self.found[task.key] = result
                    else:
                        return
                    self.tell(self.failed.get(task.key, ""))

    @abstractmethod
    def load(self, key: str, job: JobT) -> ResultT | None:
        """Return what is kept; None if nothing is or, with a warning, if it is damaged."""

    @abstractmethod
    def make(self, left: Mapping[str, JobT]) -> Outcomes[object, ValueT]:
        """Have the engine make what is left."""

    @abstractmethod
    def keep(self, key: str, value: ValueT) -> ResultT | None:
        """Keep what was made and return the result; None if the user interrupted it."""

    @abstractmethod
    def tell(self, failure: str = "") -> None:
        """Say how far it is, and why the last job failed if it did; first before anything is made."""

    def fail(self, task: Task[object], failure: Failed) -> None:
        """Note why a job came to no end of its own."""
        self.failed[task.key] = one_line(f"{task.label}: {failure.message}")

    @property
    def here(self) -> bool:
        """Whether jobs are made in this process, where their own progress can be heard."""
        return isinstance(self.engine, ThisProcess)

    @property
    def done(self) -> int:
        """How many jobs have come to an end of any kind."""
        return len(self.found) + len(self.failed)

    def _reuse(self) -> None:
        kept = {key: self.load(key, job) for key, job in self.jobs.items()}
        self.found = {key: result for key, result in kept.items() if result is not None}
        self.reused = len(self.found)
        if self._kept is not None and self.reused < len(self.jobs):
            self._kept.tell_other_versions()
