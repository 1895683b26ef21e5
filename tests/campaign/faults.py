"""What counts as a fault: the one list, which docs/reliability.md shows, too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """Each kind of fault: what it is called, and what it means."""

    FALSE_BOUND = "false bound", "a proved bound lies above the optimum that enumeration finds"
    FALSE_OPTIMUM = "false optimum", "a gap or an optimum is called proved, and enumeration finds a better schedule"
    FALSE_INFEASIBILITY = "false infeasibility", "called infeasible, though enumeration finds a schedule"
    IMPOSSIBLE = "impossible schedule", "a verified schedule where none exists, or better than the optimum"
    WRONG_FIGURE = "wrong figure", "a verified latency is not what extended precision makes of the schedule"
    REJECTED = "rejected schedule", "a solver's own schedule or bound is refused by the check"
    NO_SCHEDULE = "no schedule", "a heuristic ends without a schedule where one exists"
    NOT_FINISHED = "not finished", "an exact solver takes longer than enumeration would on a tiny instance"
    EXCEPTION = "exception", "an exception leaves the Python interface, or is the message of a solver's error"
    EXIT_1 = "exit code 1", "a command line ends with code 1, though no training diverged"
    EXIT_CODE = "unknown exit code", "a command line ends with a code that the documentation does not list"
    TRACEBACK = "traceback", "a traceback without --debug"
    WARNING = "warning", "a Python warning that would reach the user"
    ERROR_LINE = "error line", "bad input is not told in one line of readable length"
    CONTROL_CHARACTERS = "control characters", "a terminal would get control characters or direction overrides"
    BROKEN_OUTPUT = "broken output", "standard output or a file that was written is not whole or not of its format"
    LOST = "lost file", "a command that failed changed or removed a file that was there before"
    REPLACED = "replaced node", "a device or link named as output is replaced by a file"
    LEFTOVER = "leftover", "a temporary file or process stays"
    DIFFERENT = "different result", "what a resumed run ends with differs from an undisturbed run"
    STUCK = "stuck", "a folder that a kill left behind can be neither resumed nor started anew"
    WRONG_PICTURE = "wrong picture", "training would see other pixels or labels than a viewer shows"
    WRONG_NETWORK = "wrong network", "a network cut in two does not compute or train as the whole network does"
    WRONG_COUNT = "wrong count", "FLOPs or bits of a network are not those counted by hand"
    BROKEN_LAW = "broken law", "a random test of the suite fails on draws that the suite does not make"
    HANGS = "hang", "no end in time, nor after Ctrl-C"
    DIED = "died", "the process was ended by a signal"

    def __init__(self, label: str, meaning: str) -> None:
        self.label = label
        self.meaning = meaning


@dataclass(frozen=True)
class Fault:
    """One fault.

    Parameters
    ----------
    kind
        What went wrong.
    where
        The command line, solver or file at which it shows.
    detail
        What was seen, in a few words.
    """

    kind: FaultKind
    where: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind.label}: {shown(self.where, 600)}: {shown(self.detail)}"


def shown(text: str, limit: int = 300) -> str:
    """Return text that is safe to print and not too long."""
    safe = text.encode("unicode_escape").decode("ascii")
    return safe if len(safe) <= limit else f"{safe[: limit // 2]} ... {safe[-limit // 2 :]}"
