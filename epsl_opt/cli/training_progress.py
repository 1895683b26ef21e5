"""The live line of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from epsl_opt.cli.progress import LiveLine
from epsl_opt.cli.units import NOTHING, fixed, number, percent

if TYPE_CHECKING:
    from epsl_opt.core.stop_request import StopRequest
    from epsl_opt.training.run import TrainingRun


class TrainingLine(LiveLine):
    """What is known of the running training: round, loss, accuracy, simulated and real time, rounds a second."""

    def __init__(self) -> None:
        self._label = self._known = ""
        self._rounds = 0
        self._accuracy: float | None = None
        self._request: StopRequest | None = None

    def start(self, label: str, rounds: int, request: StopRequest) -> None:
        """Begin another training, of at most so many rounds, under this label; 0 rounds where none is to be heard."""
        self._label, self._rounds, self._request = label, rounds, request
        self._known, self._accuracy = "loading" if rounds else "", None

    def listen(self, run: TrainingRun) -> None:
        """Take over what the run knows."""
        last = run.records[-1]
        self._accuracy = self._accuracy if last.test_accuracy is None else last.test_accuracy
        speed = NOTHING if run.real_time_s == 0 else number(len(run.records) / run.real_time_s, 3)
        self._known = (
            f"round {last.round}/{self._rounds}  loss {number(last.train_loss, 4)}  "
            f"accuracy {percent(self._accuracy, 1)}  simulated {number(run.simulated_time_s, 5)} s  "
            f"real {fixed(run.real_time_s, 1)} s  {speed} rounds/s"
        )

    def text(self) -> str:
        """Return the line."""
        stopping = self._request is not None and self._request.made
        asked = "stopping after this round; Ctrl-C again stops at once" if stopping else ""
        return "  ".join(part for part in (self._label, asked, self._known) if part)
