"""What ends a job of several ranks."""

from __future__ import annotations

from epsl_opt.core.errors import EngineError
from epsl_opt.core.plain_text import one_line


class RankError(EngineError):
    """A rank is dead, silent, or failed; the training can go on from its last checkpoint."""

    def __init__(self, problem: str) -> None:
        super().__init__(one_line(problem))


class BroadcastError(EngineError):
    """A broadcast failed; it passes through several ranks, so this does not say which one is to blame."""


class LinkError(EngineError):
    """Talking to one rank failed, which need not be its fault: once one wait is over, gloo ends all others, too.

    Parameters
    ----------
    rank
        Which.
    error
        As it came.
    timed_out
        Whether the wait lasted as long as ranks wait for each other; the connection broke otherwise.
    """

    def __init__(self, rank: int, error: BaseException, *, timed_out: bool = False) -> None:
        self.rank, self.timed_out = rank, timed_out
        super().__init__(one_line(str(error)))
