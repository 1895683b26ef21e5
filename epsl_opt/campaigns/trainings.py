"""A campaign of trainings: each distinct one runs once, and every case has it timed by its own schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from epsl_opt.campaigns.engines import Engine, ThisProcess
from epsl_opt.campaigns.lesson import Lesson
from epsl_opt.campaigns.lessons import TrainingObserver, learn_all
from epsl_opt.core.defaults import DEFAULT_CHECKPOINT_EVERY
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.files.training_records import RoundRecord, simulated_time_s
from epsl_opt.plugins.backend import TrainingBackend
from epsl_opt.training.cases import TrainingCase, learning_key
from epsl_opt.training.run import TrainingGoal, finite_stage_times
from epsl_opt.training.summary import score


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
    stop_reason: TrainingStop
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
    """What a campaign left behind: `trainings` distinct ones were asked for, `reused` of them were on disk.

    `failures` says why some came to no end in another process; `lost` cases have no row by that.
    """

    cases: tuple[TrainedCase, ...]
    planned: int
    trainings: int
    reused: int
    failures: tuple[str, ...] = ()
    lost: int = 0

    @property
    def interrupted(self) -> bool:
        """Whether it was stopped before its end."""
        return len(self.cases) + self.lost < self.planned


def train_cases(
    cases: Sequence[TrainingCase],
    backend: TrainingBackend[Any],
    goal: TrainingGoal,
    *,
    folder: Path | None = None,
    checkpoint_every: int = DEFAULT_CHECKPOINT_EVERY,
    observer: TrainingObserver | None = None,
    request: StopRequest | None = None,
    engine: Engine | None = None,
) -> TrainingCampaign:
    """Train every case; cases that learn the same share one training.

    Parameters
    ----------
    folder
        Where trainings are kept, one folder each, and looked for; one that was stopped goes on, a finished one is not
        run again. Nothing is kept if None.
    request
        Heard after each round: the running training is saved, and the campaign ends. Trainings in other processes
        don't hear it; Ctrl-C ends them, and they go on from their last checkpoint.
    engine
        Where it is trained: one after the other in this process if None.

    Raises
    ------
    InputError
        If anything in a plan or the options does not work, or a folder can't be written to.
    EngineError
        If what trains has gone.
    """
    stages = [finite_stage_times(case.plan, backend, case.options) for case in cases]
    keys = [learning_key(case, backend, goal) for case in cases]
    lessons: dict[str, Lesson] = {}
    for key, case in zip(keys, cases, strict=True):
        place = None if folder is None else folder / short_key(key)
        lessons.setdefault(key, Lesson(case, backend, goal, place, checkpoint_every))
    found = learn_all(lessons, observer, request or StopRequest(), engine or ThisProcess())
    done = tuple(
        _trained(case, times, key, *found.learned[key])
        for case, times, key in zip(cases, stages, keys, strict=True)
        if key in found.learned
    )
    lost = sum(key in found.failed for key in keys)
    return TrainingCampaign(done, len(cases), len(lessons), found.reused, tuple(found.failed.values()), lost)


def short_key(key: str) -> str:
    """Return as much of a training's key as its folder is called by."""
    return key[:16]


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
