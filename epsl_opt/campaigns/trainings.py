"""A campaign of trainings: each distinct one runs once, and every case has it timed by its own schedule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from epsl_opt.campaigns.engines import Engine, ThisProcess
from epsl_opt.campaigns.stored_training import StoredTraining, TrainingResult
from epsl_opt.campaigns.training_campaign import StoredTrainings, TrainingObserver
from epsl_opt.core.round_timing import RoundTiming
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.files.training_records import RoundRecord
from epsl_opt.training.setup import TrainingSetup
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
    average_every: int | None = None

    def to_dict(self) -> dict[str, str | float | None]:
        """Return the row, ready for JSON and CSV; `average_every` is there only where models are averaged."""
        row = asdict(self)
        return row if self.average_every is not None else {name: row[name] for name in TRAINING_COLUMNS}


TRAINING_COLUMNS = tuple(field.name for field in fields(TrainingRow))[:-1]
"""Columns of trainings whose client-side models are not averaged."""


def training_columns(rows: Sequence[TrainingRow]) -> tuple[str, ...]:
    """Return the columns that a table of these rows has."""
    averaged = any(row.average_every is not None for row in rows)
    return (*TRAINING_COLUMNS, "average_every") if averaged else TRAINING_COLUMNS


@dataclass(frozen=True, eq=False)
class TrainedCase:
    """A training of the campaign with what it learned; its clock is that of its own setup."""

    setup: TrainingSetup
    records: Sequence[RoundRecord]
    row: TrainingRow

    @property
    def timing(self) -> RoundTiming:
        """How long rounds take."""
        return self.setup.timing


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
    setups: Sequence[TrainingSetup],
    *,
    folder: Path | None = None,
    observer: TrainingObserver | None = None,
    stop_request: StopRequest | None = None,
    engine: Engine | None = None,
) -> TrainingCampaign:
    """Train every setup; those that learn the same share one training.

    Parameters
    ----------
    folder
        Where trainings are kept, one folder each, and looked for; one that was stopped goes on, a finished one is not
        run again. Nothing is kept if None.
    stop_request
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
    for setup in setups:
        _ = setup.stages  # refused before anything is trained
    keys = [setup.learning_key for setup in setups]
    trainings: dict[str, StoredTraining] = {}
    for key, setup in zip(keys, setups, strict=True):
        trainings.setdefault(key, StoredTraining(setup, None if folder is None else folder / short_key(key)))
    campaign = StoredTrainings(trainings, folder, observer, stop_request or StopRequest(), engine or ThisProcess())
    campaign.run()
    done = tuple(
        _trained(setup, key, campaign.found[key])
        for setup, key in zip(setups, keys, strict=True)
        if key in campaign.found
    )
    lost = sum(key in campaign.failed for key in keys)
    return TrainingCampaign(done, len(setups), len(trainings), campaign.reused, tuple(campaign.failed.values()), lost)


def short_key(key: str) -> str:
    """Return as much of a training's key as its folder is called by."""
    return key[:16]


def _trained(setup: TrainingSetup, key: str, result: TrainingResult) -> TrainedCase:
    (summary, records), plan, timing = result, setup.plan, setup.timing
    found = score(records, summary.target_accuracy)
    to_target = found.rounds_to_target
    failed = summary.divergence
    row = TrainingRow(
        instance=plan.instance.name,
        framework=plan.framework.value,
        aggregation_ratio=plan.instance.training.aggregation_ratio,
        solver=setup.document.solver,
        seed=plan.seed,
        cut_layer=plan.instance.model.cut_layers[plan.schedule.cut_layer].name,
        round_latency_s=timing.mean.round_latency_s,
        rounds=len(records),
        stop_reason=summary.stop_reason,
        target_accuracy=summary.target_accuracy,
        time_to_target_s=None if to_target is None else timing.simulated_time_s(to_target),
        majority_rate=summary.majority_rate,
        simulated_time_s=timing.simulated_time_s(len(records)),
        training=short_key(key),
        message="" if failed is None else f"diverged in round {failed.round}, {failed.stage}",
        instance_sha256=plan.instance.sha256,
        average_every=plan.average_every,
        **asdict(found),
    )
    return TrainedCase(setup, records, row)
