"""The driver of a training: round by round, until its goal is reached; it leaves clock and files to others."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from epsl_opt.core.errors import InputError
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import Divergence, TrainingStop
from epsl_opt.files.training_records import RoundRecord
from epsl_opt.plugins.backend import DivergenceError, TrainingPlan
from epsl_opt.training.setup import TrainingSetup

Listener = Callable[["TrainingRun"], None]


class TrainingRun:
    """A training under way: its session, what it left behind so far, and the clock of its simulated time.

    Parameters
    ----------
    setup
        What is trained, and under which schedule.

    Attributes
    ----------
    sound
        Whether the session is at the end of a round, and not somewhere inside one that failed.

    Raises
    ------
    InputError
        If anything in the plan or the options does not work, or a round under the schedule would last forever.
    """

    def __init__(self, setup: TrainingSetup) -> None:
        self.setup, self.timing = setup, setup.timing
        self.session = setup.request.backend.start(setup.plan.detached(), setup.request.options)
        self.records: list[RoundRecord] = []
        self.divergence: Divergence | None = None
        self.real_time_s = 0.0
        self.sound = True

    @property
    def plan(self) -> TrainingPlan:
        """What is trained."""
        return self.setup.plan

    @property
    def simulated_time_s(self) -> float:
        """Simulated seconds of the rounds done."""
        return self.timing.simulated_time_s(len(self.records))

    @property
    def stages(self) -> StageTimes:
        """Stage times of a round, the mean where rounds differ."""
        return self.timing.mean

    def train_round(self) -> None:
        """Train, and evaluate if it is time to, one round; record it.

        Raises
        ------
        DivergenceError
            If a value is not finite.
        """
        started_s, number, self.sound = time.perf_counter(), len(self.records) + 1, False
        outcome = self.session.train_round()
        if not math.isfinite(outcome.train_loss):
            raise DivergenceError("the train loss")
        record = RoundRecord(
            round=number,
            train_loss=outcome.train_loss,
            uplink_bits=outcome.uplink_bits,
            downlink_bits=outcome.downlink_bits,
        )
        self.records.append(self._evaluated(record) if self.setup.request.goal.evaluates(number) else record)
        self.sound = True
        self.real_time_s += time.perf_counter() - started_s

    def evaluate_last(self) -> None:
        """Evaluate the last round, if it was not; a training that was to go on may end here after all.

        Raises
        ------
        DivergenceError
            If a value is not finite; the round has no record then, as if it had failed itself.
        """
        started_s = time.perf_counter()
        if self.records and self.records[-1].test_accuracy is None:
            last, self.sound = self.records.pop(), False
            self.records.append(self._evaluated(last))
            self.sound = True
        self.real_time_s += time.perf_counter() - started_s

    def _evaluated(self, record: RoundRecord) -> RoundRecord:
        scores = self.session.evaluate()
        return record.model_copy(update={"test_accuracy": scores.accuracy, "macro_f1": scores.macro_f1})


def train(
    run: TrainingRun,
    *,
    save: Callable[[TrainingRun], None] | None = None,
    listener: Listener | None = None,
    stop_request: StopRequest | None = None,
) -> TrainingStop:
    """Train until the goal is reached, training diverges or the user interrupts; return which it was.

    Parameters
    ----------
    run
        The training, new or restored.
    save
        Called each `checkpoint_every` rounds.
    listener
        Called after each round.
    stop_request
        Heard after each round: a stop that leaves the session sound. A `KeyboardInterrupt` ends the training, too, but
        leaves the session inside a round.

    Raises
    ------
    InputError
        If the training has more rounds already than the goal allows.
    """
    goal, checkpoint_every = run.setup.request.goal, run.setup.request.checkpoint_every
    if len(run.records) > goal.rounds:
        raise InputError("--rounds", f"must be at least {len(run.records)}, the rounds done already, got {goal.rounds}")
    try:
        while (stop := goal.reached(run.records)) is None:
            if stop_request is not None and stop_request.made:
                return TrainingStop.INTERRUPTED
            if len(run.records) == goal.rounds:
                run.evaluate_last()
                continue
            run.train_round()
            if listener is not None:
                listener(run)
            if save is not None and len(run.records) % checkpoint_every == 0:
                save(run)
    except DivergenceError as error:
        run.divergence = Divergence(round=len(run.records) + 1, stage=error.stage)
        return TrainingStop.DIVERGED
    except KeyboardInterrupt:
        return TrainingStop.INTERRUPTED
    return stop
