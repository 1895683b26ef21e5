"""Pilots whose sessions stay in memory from one slice to the next, as far as they are small."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from epsl_opt.campaigns.stored_training import StoredTraining, TrainingResult
from epsl_opt.core.errors import InputError
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.training.files import run_training
from epsl_opt.training.run import Listener, TrainingRun

MOST_HELD, MOST_BYTES = 256, 4_000_000
"""Sessions in one process, and the size of the checkpoint of each."""

_held: OrderedDict[Path, TrainingRun] = OrderedDict()


class HeldTraining(StoredTraining):
    """A stored training that goes on with the session in memory, if that is where its folder is."""

    def train(self, listener: Listener | None = None, stop_request: StopRequest | None = None) -> TrainingResult:
        """Train to an end of any kind; see `StoredTraining.train`."""
        run, folder = self._open(), self._folder()
        summary = run_training(run, folder, listener=listener, stop_request=stop_request)
        if summary.stop_reason == TrainingStop.ROUNDS and folder is not None and self.path is not None:
            hold(self.path, run, folder.checkpoint)
        return TrainingResult(summary, tuple(run.records))

    def _open(self) -> TrainingRun:
        run = None if self.path is None else _held.pop(self.path, None)
        if run is not None and run.sound and len(run.records) == self._kept_rounds():
            run.setup = self.setup
            return run
        return super()._open()

    def _kept_rounds(self) -> int | None:
        """Return the rounds in the folder; another process may have gone on with it since."""
        folder = self._folder()
        try:
            return None if folder is None else folder.read_summary().rounds
        except InputError:
            return None


def hold(path: Path, run: TrainingRun, checkpoint: Path) -> None:
    """Keep a session for the next slice, if it is small; the longest unused one makes room."""
    if checkpoint.stat().st_size > MOST_BYTES:
        return
    _held[path] = run
    if len(_held) > MOST_HELD:
        _held.popitem(last=False)
