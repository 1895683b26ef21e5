"""The options of the torch backend."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from epsl_opt.backends.datasets.partition import PartitionKind
from epsl_opt.core.options import Options
from epsl_opt.core.record import NonNegativeFloat, PositiveFloat, PositiveInt, UnitInterval

DEFAULT_LR = 0.1
DEFAULT_MOMENTUM = 0.9
MAX_FACTOR = 1e30
"""Of what multiplies a gradient: an optimiser's own factors must not take it beyond single precision."""


class Linearisation(StrEnum):
    """At which point of the server-side network an aggregated gradient is pulled back through it."""

    MEAN_ACTIVATION = "mean-activation"
    """At the clients' mean smashed data, run forward once more (a reconstruction)."""
    LAYER_WISE = "layer-wise"
    """In each layer at the clients' mean of its stored inputs."""
    PER_CLIENT = "per-client"
    """At every client's own smashed data: saves nothing, and is there to measure the approximation."""


class Aggregation(StrEnum):
    """What stands for the clients' gradients at an aggregated position."""

    MEAN = "mean"
    """Their mean, weighted by the clients' shares of the data (the paper's)."""
    REPRESENTATIVE = "representative"
    """One client's own, drawn with the probability of its share, through its own activations; costs the same."""


class Pairing(StrEnum):
    """Which samples of different clients are aggregated with one another."""

    POSITION = "position"
    """Those at the same position of the batch (the paper's)."""
    LABEL = "label"
    """The samples to aggregate are sorted by label first."""


class BatchNorm(StrEnum):
    """What batch normalisation does in training."""

    BATCH = "batch"
    """Every pass normalises with the statistics of its own rows."""
    FROZEN = "frozen"
    """Every pass normalises with the running statistics, which stay as they are."""


class Optimizer(StrEnum):
    """How models learn from gradients."""

    SGD = "sgd"
    ADAM = "adam"
    ADAMW = "adamw"


class LrSchedule(StrEnum):
    """How learning rates change over the rounds."""

    CONSTANT = "constant"
    COSINE = "cosine"
    """Falls along half a cosine to 0 at round `lr_rounds`."""
    STEP = "step"
    """Is multiplied by `lr_factor` every `lr_rounds` rounds."""


class TorchOptions(Options):
    """Network, data partition, EPSL's variants, optimisation and device."""

    network: str | None = Field(default=None, min_length=1, description="what to train; the task's own if not given")
    partition: PartitionKind = Field(default=PartitionKind.IID, description="iid, dirichlet (label skew) or shards")
    alpha: PositiveFloat = Field(default=0.5, description="for partition=dirichlet: the smaller, the more skewed")
    shards: PositiveInt = Field(default=2, description="for partition=shards: shards of sorted labels a client gets")

    linearization: Linearisation = Field(
        default=Linearisation.MEAN_ACTIVATION, description="mean-activation, layer-wise or per-client"
    )
    aggregation: Aggregation = Field(default=Aggregation.MEAN, description="mean (the paper's) or representative")
    pairing: Pairing = Field(default=Pairing.POSITION, description="position (the paper's) or label")
    batch_norm: BatchNorm = Field(default=BatchNorm.BATCH, description="batch or frozen statistics in training")

    optimizer: Optimizer = Field(default=Optimizer.SGD, description="sgd, adam or adamw")
    lr: PositiveFloat = Field(default=DEFAULT_LR, le=MAX_FACTOR, description="learning rate")
    client_lr: PositiveFloat | None = Field(
        default=None, le=MAX_FACTOR, description="that of the clients' models, if another"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description=f"of sgd [default: {DEFAULT_MOMENTUM}]"
    )
    weight_decay: NonNegativeFloat = Field(default=0.0, le=MAX_FACTOR, description="of every optimiser")
    lr_schedule: LrSchedule = Field(default=LrSchedule.CONSTANT, description="constant, cosine or step")
    lr_rounds: PositiveInt = Field(default=200, description="length of the learning rate's schedule, or of a step")
    lr_factor: UnitInterval = Field(default=0.1, description="for lr_schedule=step")

    device: str = Field(default="cpu", pattern=r"^(cpu|cuda(:\d{1,3})?)$", description="cpu, cuda or cuda:N")

    @model_validator(mode="after")
    def _check_effect(self) -> Self:
        """An option without effect is a mistake, not a wish."""
        if self.aggregation is Aggregation.REPRESENTATIVE and self.linearization is not Linearisation.MEAN_ACTIVATION:
            raise ValueError("linearization: has no effect with aggregation=representative")
        if self.momentum is not None and self.optimizer is not Optimizer.SGD:
            raise ValueError(f"momentum: has no effect with optimizer={self.optimizer}")
        return self
