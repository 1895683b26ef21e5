"""The file of a plan: every point of a grid, what is certain of it, and which one to train."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from epsl_opt.core.by_value import ByValue
from epsl_opt.core.record import (
    AsTuple,
    JsonObject,
    Name,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    Record,
    UnitInterval,
)
from epsl_opt.files.documents import InstanceReference
from epsl_opt.files.training_document import FrameworkName

Count = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=2000)]


class Fate(StrEnum):
    """What became of a point."""

    WINNER = "winner"
    """The least upper end of all times to target."""
    CONTENDER = "contender"
    """Its time to target may lie below the winner's: the intervals overlap."""
    BY_LATENCY = "ruled out by latency bound"
    """One round takes longer than the winner's whole training; no pilot was needed."""
    BY_PILOTS = "ruled out by pilots"
    """The least number of rounds that its pilots leave takes longer than the winner's time."""
    CENSORED = "censored"
    """It has not reached the target within the horizon, and that is too soon to rule it out."""


class PlannedPilot(Record):
    """One pilot training of a point."""

    seed: Seed = Field(description="of the training")
    rounds: Count = Field(description="done")
    reached: PositiveInt | None = Field(default=None, description="round at which the target was reached, if it was")
    diverged: bool = Field(description="whether a value left the finite numbers")
    best_accuracy: UnitInterval | None = Field(default=None, description="of all rounds done")


class PlannedPoint(Record):
    """One way to train, and what is certain of it. Times are simulated seconds."""

    framework: FrameworkName
    aggregation_ratio: UnitInterval = Field(description="phi; 0 but for epsl")
    cut_layer: Name = Field(description="the last layer that clients hold")
    batch_size: PositiveInt = Field(description="b, samples per client and round")
    average_every: PositiveInt | None = Field(default=None, description="I; not given where models are not averaged")
    learning_rate: PositiveFloat | None = Field(default=None, description="not given where it is the backend's own")
    round_bound_s: NonNegativeFloat = Field(description="L, no schedule makes the mean round shorter")
    round_latency_s: NonNegativeFloat = Field(description="U, mean round under the schedule found")
    rounds: PositiveFloat | None = Field(
        default=None, description="N, geometric mean over the seeds, once all got there"
    )
    rounds_low: PositiveFloat | None = Field(
        default=None, description="at least; not given where a seed never gets there"
    )
    rounds_high: PositiveFloat | None = Field(default=None, description="at most; not given where that is not known")
    time_low_s: NonNegativeFloat | None = Field(
        default=None, description="at least; not given where a seed never gets there"
    )
    time_high_s: NonNegativeFloat | None = Field(default=None, description="at most; not given where that is not known")
    fate: Annotated[Fate, ByValue(Fate)]
    reason: Text = Field(description="of the fate, in a sentence")
    pilots: Annotated[tuple[PlannedPilot, ...], AsTuple] = Field(description="by seed; empty for a table of rounds")


class PlanDocument(Record):
    """A plan: which point of a grid reaches a target accuracy soonest, and how sure that is."""

    format: Literal["epsl-opt/plan"] = "epsl-opt/plan"
    version: Literal[1] = 1
    instance: InstanceReference
    task: Name | None = Field(default=None, description="not given where rounds come from a table alone")
    backend: Name | None = Field(default=None, description="who trained the pilots")
    options: JsonObject | None = Field(default=None, description="of the backend, that all points share")
    target_accuracy: UnitInterval | None = Field(default=None, description="on the test samples")
    rounds_from: Literal["pilots", "table"] = Field(description="where the rounds to target come from")
    level: UnitInterval = Field(description="of each two-sided interval on N, as a fraction")
    spread: NonNegativeFloat = Field(description="standard deviation of log N between seeds that intervals rely on")
    assumed_spread: NonNegativeFloat = Field(description="what that is taken for before any seed is seen")
    seeds: Annotated[tuple[Seed, ...], AsTuple] = Field(description="of the pilots")
    horizon: PositiveInt | None = Field(default=None, description="rounds after which a pilot ends in any case")
    pilot_rounds: Count = Field(description="of all pilots")
    winner: Count | None = Field(default=None, description="index into points; not given if none is known to get there")
    least_s: NonNegativeFloat | None = Field(
        default=None, description="nothing on the grid is sooner, if anything gets there"
    )
    most_s: NonNegativeFloat | None = Field(default=None, description="the winner takes at most; not given without one")
    single_low_s: NonNegativeFloat | None = Field(default=None, description="one training of the winner, at least")
    single_high_s: NonNegativeFloat | None = Field(default=None, description="one training of the winner, at most")
    certificate: Text = Field(description="what is certain, in words")
    command: Annotated[tuple[str, ...], AsTuple] = Field(description="that trains the winner; empty without one")
    points: Annotated[tuple[PlannedPoint, ...], Field(min_length=1), AsTuple]

    @model_validator(mode="after")
    def _check_winner(self) -> Self:
        """The winner is one of the points."""
        if self.winner is not None and self.winner >= len(self.points):
            raise ValueError(f"winner: must be below {len(self.points)}, the number of points")
        return self
