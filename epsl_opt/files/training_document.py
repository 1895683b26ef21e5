"""The summary file of a training, and what tells one training from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from epsl_opt.core.by_value import ByValue
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.record import JsonObject, Name, NonNegativeFloat, PositiveInt, Record, UnitInterval
from epsl_opt.core.schedule import Schedule
from epsl_opt.files.documents import CutReference, InstanceReference
from epsl_opt.files.stored_record import Digest, Sha256, StoredRecord
from epsl_opt.files.training_records import Bits

_SHA256 = "^[0-9a-f]{64}$"
FrameworkName = Annotated[Framework, ByValue(Framework)]


class TrainingStop(StrEnum):
    """Why a training stopped."""

    ROUNDS = "rounds"
    """All rounds asked for are done; a target accuracy, if there was one, was not reached."""
    TARGET_ACCURACY = "target_accuracy"
    """An evaluated round reached the accuracy asked for; an earlier round, not evaluated, may have reached it too."""
    DIVERGED = "diverged"
    """A value left the finite numbers; the rounds before are good."""
    INTERRUPTED = "interrupted"
    """The user stopped it, or it is still running, or its process was killed."""


class PlanReference(Record):
    """All that decides what a training learns; two trainings with equal plans learn the same, bit for bit."""

    instance_sha256: Annotated[str, Field(pattern=_SHA256)]
    batch_size: PositiveInt
    aggregation_ratio: UnitInterval
    cut_layer: Annotated[int, Field(ge=0)]
    schedule_sha256: Annotated[str, Field(pattern=_SHA256)]
    framework: FrameworkName
    task: Name
    seed: Annotated[int, Field(ge=0)]
    backend: Name
    options: JsonObject
    average_every: PositiveInt | None = None

    def differences(self, other: PlanReference) -> list[str]:
        """Return in what `other` differs, as `framework (epsl, not psl)` with the value here first."""
        here, there = self._flat(), other._flat()
        keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
        return [f"{key} ({_short(here.get(key))}, not {_short(there.get(key))})" for key in keys]

    def _flat(self) -> dict[str, object]:
        """Name every part as a user would; what is sharper comes first."""
        parts = self.model_dump(exclude={"options", "instance_sha256", "schedule_sha256"})
        named = {key.replace("_", " "): value for key, value in parts.items()}
        options = {f"option {key.replace('_', '-')}": value for key, value in self.options.items()}
        return named | options | {"instance": self.instance_sha256, "schedule": self.schedule_sha256}


class ScheduleReference(Record):
    """Under which schedule a training ran."""

    sha256: Annotated[str, Field(pattern=_SHA256, description="digest of cut layer, subchannels and powers")]
    solver: Name = Field(description="registered name of the solver that made it")
    cut_layer: CutReference = Field(description="the last layer all clients hold")
    latency_s: NonNegativeFloat = Field(
        description="round latency that the solver minimised, EPSL's with this instance"
    )


class Divergence(Record):
    """Where a training left the finite numbers."""

    round: PositiveInt = Field(description="the round that failed; it has no record")
    stage: str = Field(description="the first stage with a value that is not finite")


class TrainingDocument(StoredRecord):
    """A training in a few numbers; the file format `epsl-opt/training` is this record as JSON."""

    format: Literal["epsl-opt/training"] = "epsl-opt/training"
    version: Literal[1] = 1
    instance: InstanceReference = Field(description="the instance that was trained on, instance.json beside this file")
    batch_size: PositiveInt = Field(description="b, the instance's")
    aggregation_ratio: UnitInterval = Field(description="phi, the instance's")
    schedule: ScheduleReference = Field(description="the schedule, schedule.json beside this file")
    framework: FrameworkName = Field(description="how clients and server train together")
    clock: FrameworkName = Field(description="the framework whose round latency applies")
    round_latency_s: NonNegativeFloat = Field(
        description="simulated time of one round by this clock; with average_every the mean over so many rounds"
    )
    task: Name = Field(description="the data, by the backend's name for it")
    seed: Annotated[int, Field(ge=0)] = Field(description="of everything random in the training")
    backend: Name = Field(description="registered name of the training backend")
    options: JsonObject = Field(description="the backend's options, all of them")
    description: JsonObject = Field(description="what the backend says of data and network")
    evaluate_every: PositiveInt = Field(description="rounds from one evaluation to the next")
    rounds: Annotated[int, Field(ge=0)] = Field(description="rounds done")
    stop_reason: Annotated[TrainingStop, ByValue(TrainingStop)] = Field(description="why it stopped")
    divergence: Divergence | None = Field(description="null unless stop_reason is diverged")
    target_accuracy: UnitInterval | None = Field(description="null if none was asked for")
    rounds_to_target: PositiveInt | None = Field(description="first evaluated round at the target, null if none was")
    time_to_target_s: NonNegativeFloat | None = Field(description="simulated time of these rounds")
    final_accuracy: UnitInterval | None = Field(description="of the last evaluated round")
    best_accuracy: UnitInterval | None = Field(description="the highest of all evaluated rounds")
    final_macro_f1: UnitInterval | None = Field(description="of the last evaluated round")
    best_macro_f1: UnitInterval | None = Field(description="the highest of all evaluated rounds")
    simulated_time_s: NonNegativeFloat = Field(description="of all rounds done")
    uplink_bits: Bits = Field(description="of all rounds done, over all clients")
    downlink_bits: Bits = Field(description="of all rounds done; a broadcast counts once")
    real_time_s: NonNegativeFloat = Field(description="wall-clock time of rounds and evaluations, over all resumptions")
    versions: JsonObject = Field(description="of Python and packages")
    average_every: PositiveInt | None = Field(
        default=None, description="I: client-side models were averaged after every I-th round; never if not given"
    )
    model_exchange_s: NonNegativeFloat | None = Field(
        default=None, description="what that adds to a round on average, the I-th part of an exchange"
    )
    records_sha256: Sha256 | None = Field(default=None, description="digest of records.csv beside this file")
    sha256: Digest = Field(default=None, description="digest of this record without real_time_s, as canonical JSON")

    not_in_digest = frozenset({"real_time_s"})

    @property
    def as_written(self) -> bool:
        """Whether it is what was written; of a training that goes on, nothing is relied on but its plan."""
        return self.stop_reason is TrainingStop.INTERRUPTED or super().as_written

    @property
    def majority_rate(self) -> float | None:
        """Accuracy of always answering with the most frequent test label; None if the backend does not say."""
        rate = self.description.get("majority_rate")
        return float(rate) if isinstance(rate, int | float) else None

    @property
    def plan(self) -> PlanReference:
        """What decided what was learned."""
        return PlanReference(
            instance_sha256=self.instance.sha256,
            batch_size=self.batch_size,
            aggregation_ratio=self.aggregation_ratio,
            cut_layer=self.schedule.cut_layer.index,
            schedule_sha256=self.schedule.sha256,
            framework=self.framework,
            task=self.task,
            seed=self.seed,
            backend=self.backend,
            options=self.options,
            average_every=self.average_every,
        )


def schedule_sha256(schedule: Schedule) -> str:
    """Return the SHA-256 of a schedule's content: cut layer, subchannels and powers."""
    parts: Sequence[object] = (
        schedule.cut_layer,
        schedule.subchannel_client.tolist(),
        schedule.subchannel_power_w.tolist(),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def refuse_differences(path: Path, differences: Sequence[str]) -> None:
    """Raise if what a file is of differs from what was asked for.

    Raises
    ------
    InputError
        Naming the file and every difference.
    """
    if differences:
        raise InputError(str(path), f"is of another training: {'; '.join(differences)}")


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
