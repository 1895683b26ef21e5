"""One instance of the resource-management problem: everything that is given (paper, sections III and IV).

All quantities are SI: seconds, hertz, watts, bits, FLOPs, metres. C is the number of clients, M of subchannels,
J of cut layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from epsl_opt.core.arrays import FloatArray, NonNegativeMatrix, PositiveVector, frozen
from epsl_opt.core.errors import InputError
from epsl_opt.core.options import unknown
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

SMALLEST_GAIN = 1e-60
"""Less, -600 dB, is no channel; squares of it would underflow."""


class Client(Record):
    """One client device."""

    name: Name = Field(description="how the client is called in tables and pictures")
    cycles_per_s: PositiveFloat = Field(description="f_i, the clock of the client's processor")
    cycles_per_flop: PositiveFloat = Field(description="kappa_i, processor cycles for one FLOP")
    max_power_w: PositiveFloat = Field(description="P_i, limit on the transmit power over all subchannels")
    samples: PositiveInt = Field(description="|D_i|, samples the client holds")
    memory_bits: PositiveFloat | None = Field(
        default=None,
        description="limit on client-side weights, their gradients and stored activations, if there is one",
    )
    distance_m: NonNegativeFloat | None = Field(default=None, description="distance to the server")
    line_of_sight: bool | None = Field(default=None, description="whether the server is in line of sight")


class Server(Record):
    """The edge server."""

    cycles_per_s: PositiveFloat = Field(description="f_s, the clock of the server's processor")
    cycles_per_flop: PositiveFloat = Field(description="kappa_s, processor cycles for one FLOP")
    downlink_psd_w_per_hz: PositiveFloat = Field(description="p_DL, transmit density, the same on every subchannel")
    total_uplink_power_w: PositiveFloat = Field(description="P_th, limit on the sum over all clients")


class Subchannels(Record):
    """The orthogonal subchannels."""

    bandwidth_hz: PositiveVector = Field(description="B_k, M entries")
    center_frequency_hz: PositiveVector = Field(description="F_k, M entries")


class Channel(Record):
    """Linear channel gains, antenna gains included, and the noise."""

    uplink_gain: NonNegativeMatrix = Field(description="G^UL_ik, linear, C rows of M entries")
    downlink_gain: NonNegativeMatrix = Field(description="G^DL_ik, linear, C rows of M entries")
    noise_psd_w_per_hz: PositiveFloat = Field(description="sigma^2, noise density")


class CutLayer(Record):
    """One place to cut the network: the client holds every layer up to and including it."""

    name: Name = Field(description="the last layer the client holds")
    client_forward_flops: NonNegativeFloat = Field(description="rho_j, forward FLOPs of one sample")
    client_backward_flops: NonNegativeFloat = Field(description="varpi_j, backward FLOPs of one sample")
    activation_bits: NonNegativeFloat = Field(description="psi_j, smashed data of one sample")
    gradient_bits: NonNegativeFloat = Field(description="chi_j, gradient of the smashed data of one sample")
    client_parameter_bits: NonNegativeFloat = Field(description="beta_j, size of the client-side model")
    stored_activation_bits: NonNegativeFloat | None = Field(
        default=None,
        description="what a client keeps of one sample for the backward pass; if not given, the sum of activation_bits "
        "up to this cut layer",
    )


class ModelProfile(Record):
    """What the network costs, in total and at each possible cut."""

    name: Name = Field(description="of the network")
    total_forward_flops: PositiveFloat = Field(description="rho_L, forward FLOPs of one sample")
    total_backward_flops: PositiveFloat = Field(description="varpi_L, backward FLOPs of one sample")
    last_layer_backward_flops: NonNegativeFloat = Field(description="varpi_out, backward FLOPs of the last layer")
    total_parameter_bits: NonNegativeFloat = Field(description="size of the whole model")
    cut_layers: Annotated[tuple[CutLayer, ...], Field(min_length=1), AsTuple]

    @model_validator(mode="after")
    def _check_totals(self) -> Self:
        """A client-side model costs no more than the network, and the server keeps the last layer."""
        for j, cut in enumerate(self.cut_layers):
            where = f"cut_layers[{j}]"
            limit = self.total_backward_flops - self.last_layer_backward_flops
            if cut.client_forward_flops > self.total_forward_flops:
                raise ValueError(f"{where}.client_forward_flops: exceeds total_forward_flops")
            if cut.client_backward_flops > limit * (1 + 1e-12):
                raise ValueError(f"{where}.client_backward_flops: leaves the server no last layer")
            if cut.client_parameter_bits > self.total_parameter_bits:
                raise ValueError(f"{where}.client_parameter_bits: exceeds total_parameter_bits")
        return self

    def stored_activation_bits(self, cut_layer: int) -> float:
        """Return a_j, what a client keeps of one sample: if not given, the sum of the activations up to there."""
        told = self.cut_layers[cut_layer].stored_activation_bits
        return sum(cut.activation_bits for cut in self.cut_layers[: cut_layer + 1]) if told is None else told


class Training(Record):
    """The training parameters that decide the latency of a round."""

    batch_size: PositiveInt = Field(description="b, samples per client and round")
    aggregation_ratio: UnitInterval = Field(description="phi, the fraction of last-layer gradients that is aggregated")
    min_cut_layer: Name | None = Field(
        default=None, description="the first cut layer that is allowed, to keep what is sent away from the data"
    )


class Instance(Record):
    """An instance of the problem; the file format `epsl-opt/instance` is this record as JSON."""

    format: Literal["epsl-opt/instance"] = "epsl-opt/instance"
    version: Literal[1] = 1
    name: Name = Field(description="how the instance is called in tables, pictures and schedules")
    clients: Annotated[tuple[Client, ...], Field(min_length=1), AsTuple]
    server: Server
    subchannels: Subchannels
    channel: Channel
    model: ModelProfile
    training: Training
    origin: JsonObject | None = Field(default=None, description="generator, its options and seed")

    @model_validator(mode="after")
    def _check_shapes(self) -> Self:
        """Every array fits the number of clients and subchannels."""
        C, M = len(self.clients), len(self.subchannels.bandwidth_hz)
        if len(self.subchannels.center_frequency_hz) != M:
            found = len(self.subchannels.center_frequency_hz)
            raise ValueError(f"subchannels.center_frequency_hz: has {found} entries, but bandwidth_hz has {M}")
        for field in ("uplink_gain", "downlink_gain"):
            rows, columns = getattr(self.channel, field).shape
            if rows != C:
                raise ValueError(f"channel.{field}: has {rows} rows, but there are {C} clients")
            gain = getattr(self.channel, field)
            if ((gain > 0) & (gain < SMALLEST_GAIN)).any():
                raise ValueError(f"channel.{field}: a gain must be 0 or at least {SMALLEST_GAIN:g}")
            if columns != M:
                raise ValueError(f"channel.{field}: has rows of {columns}, but there are {M} subchannels")
        return self

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        """All that follows from the fields stays within the numbers that latencies can be computed with."""
        from epsl_opt.core.number_range import out_of_range

        if problem := out_of_range(self):
            raise ValueError(problem)
        return self

    def with_training(
        self,
        *,
        batch_size: int | None = None,
        aggregation_ratio: float | None = None,
        min_cut_layer: str | None = None,
    ) -> Instance:
        """Return the same instance with other training parameters; those not given stay.

        Raises
        ------
        pydantic.ValidationError
            If a value is out of its range, or there is no such cut layer.
        """
        given = {"batch_size": batch_size, "aggregation_ratio": aggregation_ratio, "min_cut_layer": min_cut_layer}
        changed = {name: value for name, value in given.items() if value is not None}
        return self.replace(training=self.training.model_copy(update=changed))

    @model_validator(mode="after")
    def _check_min_cut_layer(self) -> Self:
        """The first cut layer that is allowed is one of the model's."""
        names = [cut.name for cut in self.model.cut_layers]
        first = self.training.min_cut_layer
        if first is not None and first not in names:
            raise ValueError(f"training.min_cut_layer: {unknown(first, names)}")
        return self

    def with_cut_layers(self, names: Sequence[str]) -> Instance:
        """Return the same instance with these of its cut layers only, in their order.

        Raises
        ------
        InputError
            If it has no such cut layer.
        """
        known = {cut.name: cut for cut in self.model.cut_layers}
        for name in names:
            if name not in known:
                raise InputError(f"model {self.model.name}", unknown(name, list(known)), "cut_layers")
        # What clients store up to a cut stays what it is without the cuts before it.
        stored = {cut.name: self.model.stored_activation_bits(j) for j, cut in enumerate(self.model.cut_layers)}
        kept = tuple(
            cut.model_copy(update={"stored_activation_bits": stored[cut.name]})
            for cut in self.model.cut_layers
            if cut.name in names
        )
        return self.replace(model=self.model.model_copy(update={"cut_layers": kept}))

    def replace(self, **fields: Any) -> Instance:
        """Return a copy with the given top-level fields replaced, validated again.

        Raises
        ------
        pydantic.ValidationError
            If the new fields do not fit the rest.
        """
        return Instance(**{name: getattr(self, name) for name in type(self).model_fields} | fields)

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, which schedule files refer to (see `Record.content_sha256`)."""
        return self.content_sha256

    @property
    def n_clients(self) -> int:
        """C."""
        return len(self.clients)

    @property
    def n_subchannels(self) -> int:
        """M."""
        return len(self.subchannels.bandwidth_hz)

    @property
    def n_cut_layers(self) -> int:
        """J."""
        return len(self.model.cut_layers)

    @property
    def bandwidth_hz(self) -> FloatArray:
        """B_k, shape (subchannels,)."""
        return self.subchannels.bandwidth_hz

    @cached_property
    def aggregated_samples(self) -> int:
        """m = ceil(phi b), with phi read as the decimal number the user wrote."""
        return math.ceil(Fraction(repr(self.training.aggregation_ratio)) * self.training.batch_size)

    @cached_property
    def first_allowed_cut_layer(self) -> int:
        """Index of `training.min_cut_layer`, 0 if there is none."""
        names = [cut.name for cut in self.model.cut_layers]
        return 0 if self.training.min_cut_layer is None else names.index(self.training.min_cut_layer)

    @cached_property
    def client_flops_per_s(self) -> FloatArray:
        """f_i / kappa_i, shape (clients,)."""
        return frozen(np.array([client.cycles_per_s / client.cycles_per_flop for client in self.clients]))

    @cached_property
    def server_flops_per_s(self) -> float:
        """f_s / kappa_s."""
        return self.server.cycles_per_s / self.server.cycles_per_flop

    @cached_property
    def max_power_w(self) -> FloatArray:
        """P_i, shape (clients,)."""
        return frozen(np.array([client.max_power_w for client in self.clients]))

    @cached_property
    def data_share(self) -> FloatArray:
        """lambda_i = |D_i| / |D|, shape (clients,)."""
        samples = np.array([float(client.samples) for client in self.clients])
        return frozen(samples / samples.sum())

    @cached_property
    def uplink_noise_w_per_hz(self) -> FloatArray:
        """sigma^2 / G^UL_ik, the noise as the transmitter sees it, shape (clients, subchannels); inf at zero gain."""
        with np.errstate(divide="ignore", over="ignore"):  # `_check_numbers` refuses what overflows
            return frozen(self.channel.noise_psd_w_per_hz / self.channel.uplink_gain)

    @cached_property
    def downlink_rate_bps(self) -> FloatArray:
        """B_k log2(1 + p_DL G^DL_ik / sigma^2), shape (clients, subchannels)."""
        with np.errstate(over="ignore"):  # `_check_numbers` refuses what overflows
            snr = self.server.downlink_psd_w_per_hz * self.channel.downlink_gain / self.channel.noise_psd_w_per_hz
            return frozen(self.bandwidth_hz * np.log1p(snr) / math.log(2))

    def alone_bps(self, power_w: FloatArray) -> FloatArray:
        """Uplink rate of each client on each subchannel if all its power goes there, shape (clients, subchannels)."""
        with np.errstate(over="ignore", invalid="ignore"):  # `_check_numbers` refuses what overflows
            density = power_w[:, None] / self.bandwidth_hz
            return self.bandwidth_hz * np.log1p(density / self.uplink_noise_w_per_hz) / math.log(2)

    @cached_property
    def fair_power_w(self) -> FloatArray:
        """What each client can use however much the others use, min(P_i, P_th / C), shape (clients,)."""
        return frozen(np.minimum(self.max_power_w, self.server.total_uplink_power_w / self.n_clients))

    @cached_property
    def slowest_uplink_bps(self) -> float:
        """The least rate that any client can be sure of, whichever subchannel with a gain it holds; inf without any."""
        return float(self.alone_bps(self.fair_power_w).min(where=self.channel.uplink_gain > 0, initial=math.inf))

    @cached_property
    def slowest_downlink_bps(self) -> float:
        """The least downlink rate of any subchannel with a gain; inf without any."""
        return float(self.downlink_rate_bps.min(where=self.channel.downlink_gain > 0, initial=math.inf))
