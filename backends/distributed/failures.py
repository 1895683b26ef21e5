"""What ends a job of several ranks."""

from __future__ import annotations

from collections.abc import Sequence

from epsl_opt.core.errors import EngineError
from epsl_opt.core.plain_text import one_line

_TIMED_OUT = "timed out"
_OWN_CLOSURE = "timeout caused pair closure"
"""Part of what gloo says of all other pairs after it has closed one by itself."""


class RankError(EngineError):
    """A rank is dead, silent, or failed; the training can go on from its last checkpoint."""

    def __init__(self, problem: str) -> None:
        super().__init__(one_line(problem))


class BroadcastError(EngineError):
    """A broadcast failed; it passes through several ranks, so this does not say which one is to blame."""


class LinkError(EngineError):
    """Talking to one rank failed.

    Parameters
    ----------
    rank
        Which.
    error
        As it came.

    Attributes
    ----------
    dead, silent, consequence
        Whether the connection broke, the time was out, or this side closed it after another failure.
    """

    def __init__(self, rank: int, error: BaseException) -> None:
        text = str(error)
        self.rank = rank
        self.silent = _TIMED_OUT in text.lower()
        self.consequence = _OWN_CLOSURE in text
        self.dead = not self.silent and not self.consequence
        super().__init__(one_line(text))


def culprits(failures: Sequence[LinkError], waiting: Sequence[int]) -> list[LinkError]:
    """Return the failures that the others follow from; ranks `waiting` for a third one are alive."""
    others = [failure for failure in failures if failure.rank not in waiting] or list(failures)
    dead = [failure for failure in others if failure.dead]
    return dead or [failure for failure in others if failure.silent] or others
