"""A campaign of trainings: each distinct one runs once, and every case has it timed by its own schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from epsl_opt.errors import InputError
from epsl_opt.stage_times import StageTimes
from epsl_opt.stop_request import StopRequest
from epsl_opt.training import TrainingBackend
from epsl_opt.training_cases import TrainingCase, learning_key
from epsl_opt.training_document import TrainingDocument, TrainingStop
from epsl_opt.training_files import TrainingFolder, open_training, run_training
from epsl_opt.training_records import RoundRecord, read_records, simulated_time_s
from epsl_opt.training_run import DEFAULT_CHECKPOINT_EVERY, TrainingGoal, TrainingRun, finite_stage_times
from epsl_opt.training_summary import score

log = logging.getLogger(__name__)


class TrainingObserver(Protocol):
    """Who wants to know how the trainings get on."""

    def start(self, label: str, rounds: int, request: StopRequest) -> None:
        """Hear that another training begins."""

    def listen(self, run: TrainingRun) -> None:
        """Hear of a round that is done."""


@dataclass(frozen=True)
class TrainingRow:
    """One case, for tables; bits and times are totals over all rounds, accuracies fractions."""

    instance: str
    framework: str
    aggregation_ratio: float
    solver: str
    seed: int
    cut_layer: str
    round_latency_s: float
    rounds: int
    stop_reason: str
    target_accuracy: float | None
    rounds_to_target: int | None
    time_to_target_s: float | None
    final_accuracy: float | None
    best_accuracy: float | None
    final_macro_f1: float | None
    best_macro_f1: float | None
    majority_rate: float | None
    simulated_time_s: float
    uplink_bits: int
    downlink_bits: int
    training: str
    message: str
    instance_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return the row, ready for JSON and CSV."""
        return asdict(self)


TRAINING_COLUMNS = tuple(field.name for field in fields(TrainingRow))


@dataclass(frozen=True, eq=False)
class TrainedCase:
    """A case with what it learned, and its own clock."""

    case: TrainingCase
    stages: StageTimes
    records: Sequence[RoundRecord]
    row: TrainingRow


@dataclass(frozen=True)
class TrainingCampaign:
    """What a campaign left behind: `trainings` distinct ones were asked for, `reused` of them were on disk."""

    cases: tuple[TrainedCase, ...]
    planned: int
    trainings: int
    reused: int

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before its end."""
        return len(self.cases) < self.planned


FoundT = TypeVar("FoundT")

Learning = tuple[TrainingDocument, Sequence[RoundRecord]]


def train_cases(
    cases: Sequence[TrainingCase],
    backend: TrainingBackend[Any],
    goal: TrainingGoal,
    *,
    folder: Path | None = None,
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY,
    observer: TrainingObserver | None = None,
    request: StopRequest | None = None,
) -> TrainingCampaign:
    """Train every case; cases that learn the same share one training.

    Parameters
    ----------
    folder
        Where trainings are kept, one folder each, and looked for; one that was stopped goes on, a finished one is not
        run again. Nothing is kept if None.
    request
        Heard after each round: the running training is saved, and the campaign ends.

    Raises
    ------
    InputError
        If anything in a plan or the options does not work, or a folder can't be written to.
    """
    trainer = _Trainer(backend, goal, folder, checkpoint_every, observer, request or StopRequest())
    stages = [finite_stage_times(case.plan, backend, case.options) for case in cases]
    keys = [learning_key(case, backend, goal) for case in cases]
    distinct: dict[str, TrainingCase] = {}
    for key, case in zip(keys, cases, strict=True):
        distinct.setdefault(key, case)
    learned = trainer.learn_all(distinct)
    done = tuple(
        _trained(case, times, key, *learned[key])
        for case, times, key in zip(cases, stages, keys, strict=True)
        if key in learned
    )
    return TrainingCampaign(done, len(cases), len(distinct), trainer.reused)


@dataclass
class _Trainer:
    """Trains, or finds on disk what was trained; it counts what it found."""

    backend: TrainingBackend[Any]
    goal: TrainingGoal
    folder: Path | None
    checkpoint_every: int
    observer: TrainingObserver | None
    request: StopRequest
    reused: int = 0

    def learn_all(self, distinct: Mapping[str, TrainingCase]) -> dict[str, Learning]:
        """Return what each case learned, by key; without those that an interrupt kept from ending."""
        learned: dict[str, Learning] = {}
        for number, (key, case) in enumerate(distinct.items(), start=1):
            if self.observer is not None:
                self.observer.start(f"[{number}/{len(distinct)}] {_label(case)}", self.goal.rounds, self.request)
            found = self._learn(key, case)
            if found[0].stop_reason == TrainingStop.INTERRUPTED:
                break
            learned[key] = found
        return learned

    def _learn(self, key: str, case: TrainingCase) -> Learning:
        place, begun = None, False
        if self.folder is not None:
            place = TrainingFolder(self.folder / short_key(key), self.backend.checkpoint_suffix)
            summary = _unless_damaged(place.read_summary) if place.summary.exists() else None
            begun = summary is not None
            if summary is not None and (records := _all_records(place, summary)) is not None:
                self.reused += 1
                return summary, records
        run = self._open(case, place, begun=begun)
        found = run_training(
            run,
            self.goal,
            place,
            checkpoint_every=self.checkpoint_every,
            listener=None if self.observer is None else self.observer.listen,
            request=self.request,
        )
        return found, run.records

    def _open(self, case: TrainingCase, place: TrainingFolder | None, *, begun: bool) -> TrainingRun:
        """Go on with the training in the folder, under the schedule it was begun with, or begin it."""

        def resume(folder: TrainingFolder) -> TrainingRun:
            document = folder.read_schedule()
            plan = replace(case.plan, schedule=document.schedule() or case.plan.schedule)
            return open_training(self.backend, case.options, plan, document, self.goal, folder, resume=True)

        resumed = _unless_damaged(lambda: resume(place)) if place is not None and begun else None
        return resumed or open_training(self.backend, case.options, case.plan, case.document, self.goal, place)


def short_key(key: str) -> str:
    """Return as much of a training's key as its folder is called by."""
    return key[:16]


def _label(case: TrainingCase) -> str:
    return f"{case.method} on {case.plan.instance.name}, cut {case.plan.schedule.cut_layer}, seed {case.plan.seed}"


def _all_records(place: TrainingFolder, summary: TrainingDocument) -> Sequence[RoundRecord] | None:
    """Return the records of a training that ran to its end; None if it did not, or, with a warning, if damaged."""
    if summary.stop_reason == TrainingStop.INTERRUPTED:
        return None
    records = _unless_damaged(lambda: read_records(place.records))
    return records if records is not None and len(records) == summary.rounds else None


def _unless_damaged(read: Callable[[], FoundT]) -> FoundT | None:
    """Return what is read from a training's folder; None, with a warning, if a file there is no good."""
    try:
        return read()
    except InputError as error:
        log.warning("%s; training again what it should hold", error)
        return None


def _trained(
    case: TrainingCase, stages: StageTimes, key: str, summary: TrainingDocument, records: Sequence[RoundRecord]
) -> TrainedCase:
    plan, found = case.plan, score(records, summary.target_accuracy)
    to_target = found.rounds_to_target
    majority_rate = summary.description.get("majority_rate")
    failed = summary.divergence
    row = TrainingRow(
        instance=plan.instance.name,
        framework=plan.framework.value,
        aggregation_ratio=plan.instance.training.aggregation_ratio,
        solver=case.document.solver,
        seed=plan.seed,
        cut_layer=plan.instance.model.cut_layers[plan.schedule.cut_layer].name,
        round_latency_s=stages.round_latency_s,
        rounds=len(records),
        stop_reason=summary.stop_reason,
        target_accuracy=summary.target_accuracy,
        time_to_target_s=None if to_target is None else simulated_time_s(to_target, stages),
        majority_rate=majority_rate if isinstance(majority_rate, float) else None,
        simulated_time_s=simulated_time_s(len(records), stages),
        training=short_key(key),
        message="" if failed is None else f"diverged in round {failed.round}, {failed.stage}",
        instance_sha256=plan.instance.sha256,
        **asdict(found),
    )
    return TrainedCase(case, stages, records, row)
