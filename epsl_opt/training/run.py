"""The driver of a training: round by round, until its goal is reached; it leaves clock and files to others."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from epsl_opt.core.defaults import DEFAULT_CHECKPOINT_EVERY, DEFAULT_EVALUATE_EVERY, DEFAULT_ROUNDS
from epsl_opt.core.errors import InputError
from epsl_opt.core.frameworks import framework_round
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.training_document import Divergence, PlanReference, TrainingStop, schedule_sha256
from epsl_opt.files.training_records import RoundRecord, first_reaching, simulated_time_s
from epsl_opt.plugins.backend import DivergenceError, TrainingBackend, TrainingOptions, TrainingPlan

Listener = Callable[["TrainingRun"], None]


@dataclass(frozen=True)
class TrainingGoal:
    """When a training is at its end.

    Parameters
    ----------
    rounds
        At most so many.
    target_accuracy
        End at the first evaluated round with at least this test accuracy, if given.
    evaluate_every
        Evaluate each so many rounds; the last round is evaluated always.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    rounds: int = DEFAULT_ROUNDS
    target_accuracy: float | None = None
    evaluate_every: int = DEFAULT_EVALUATE_EVERY

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")
        if self.target_accuracy is not None and not 0 <= self.target_accuracy <= 1:
            raise ValueError(f"target_accuracy must be from 0 to 1, got {self.target_accuracy}")
        if self.evaluate_every < 1:
            raise ValueError(f"evaluate_every must be at least 1, got {self.evaluate_every}")

    def evaluates(self, number: int) -> bool:
        """Return whether this round is evaluated."""
        return number % self.evaluate_every == 0 or number == self.rounds

    def reached(self, records: Sequence[RoundRecord]) -> TrainingStop | None:
        """Return why these rounds are enough, or None if they are not."""
        if self.target_accuracy is not None and first_reaching(records, self.target_accuracy) is not None:
            return TrainingStop.TARGET_ACCURACY
        enough = len(records) >= self.rounds and records[-1].test_accuracy is not None
        return TrainingStop.ROUNDS if enough else None


class TrainingRun:
    """A training under way: its session, what it left behind so far, and the clock of its simulated time.

    Parameters
    ----------
    backend, options
        Who trains.
    plan
        What to train.
    schedule
        The document that `plan.schedule` is from.

    Attributes
    ----------
    sound
        Whether the session is at the end of a round, and not somewhere inside one that failed.

    Raises
    ------
    InputError
        If anything in the plan or the options does not work, or a round under the schedule would last forever.
    """

    def __init__(
        self,
        backend: TrainingBackend[Any],
        options: TrainingOptions,
        plan: TrainingPlan,
        schedule: ScheduleDocument,
    ) -> None:
        self.backend, self.options, self.plan, self.schedule = backend, options, plan, schedule
        self.clock = backend.clock(plan.framework, options)
        self.stages = finite_stage_times(plan, backend, options)
        self.session = backend.start(plan.detached(), options)
        self.records: list[RoundRecord] = []
        self.divergence: Divergence | None = None
        self.real_time_s = 0.0
        self.sound = True

    @property
    def simulated_time_s(self) -> float:
        """Simulated seconds of the rounds done."""
        return simulated_time_s(len(self.records), self.stages)

    def train_round(self, goal: TrainingGoal) -> None:
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
        self.records.append(self._evaluated(record) if goal.evaluates(number) else record)
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
    goal: TrainingGoal,
    *,
    save: Callable[[TrainingRun], None] | None = None,
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY,
    listener: Listener | None = None,
    request: StopRequest | None = None,
) -> TrainingStop:
    """Train until the goal is reached, training diverges or the user interrupts; return which it was.

    Parameters
    ----------
    run
        The training, new or restored.
    goal
        When it is at its end.
    save
        Called each `checkpoint_every` rounds.
    listener
        Called after each round.
    request
        Heard after each round: a stop that leaves the session sound. A `KeyboardInterrupt` ends the training, too, but
        leaves the session inside a round.

    Raises
    ------
    InputError
        If the training has more rounds already than the goal allows.
    """
    if len(run.records) > goal.rounds:
        raise InputError("--rounds", f"must be at least {len(run.records)}, the rounds done already, got {goal.rounds}")
    try:
        while (stop := goal.reached(run.records)) is None:
            if request is not None and request.made:
                return TrainingStop.INTERRUPTED
            if len(run.records) == goal.rounds:
                run.evaluate_last()
                continue
            run.train_round(goal)
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


def finite_stage_times(plan: TrainingPlan, backend: TrainingBackend[Any], options: TrainingOptions) -> StageTimes:
    """Return the stage times of a plan's round by the clock that applies.

    Raises
    ------
    InputError
        If the round would never end: a client without a rate is to send.
    """
    clock = backend.clock(plan.framework, options)
    stages = framework_round(plan.instance, plan.schedule, clock).stage_times
    if not math.isfinite(stages.round_latency_s):
        raise InputError("schedule", f"a round of {clock} never ends under it: a client has no rate to send with")
    return stages


def plan_reference(plan: TrainingPlan, backend: TrainingBackend[Any], options: TrainingOptions) -> PlanReference:
    """Return all that decides what a training learns."""
    instance = plan.instance
    return PlanReference(
        instance_sha256=instance.sha256,
        batch_size=instance.training.batch_size,
        aggregation_ratio=instance.training.aggregation_ratio,
        cut_layer=plan.schedule.cut_layer,
        schedule_sha256=schedule_sha256(plan.schedule),
        framework=plan.framework,
        task=plan.task,
        seed=plan.seed,
        backend=backend.name,
        options=options.model_dump(mode="json"),
    )
