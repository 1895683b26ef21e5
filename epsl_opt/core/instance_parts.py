"""What an instance is made of: clients, server, subchannels, channel, network, training (paper, sections III and IV).

All quantities are SI: seconds, hertz, watts, bits, FLOPs, metres. C is the number of clients, M of subchannels.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from epsl_opt.core.arrays import NonNegativeMatrix, PositiveVector
from epsl_opt.core.by_value import ByValue
from epsl_opt.core.framework import Framework
from epsl_opt.core.record import AsTuple, Name, NonNegativeFloat, PositiveFloat, PositiveInt, Record, UnitInterval


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
    framework: Annotated[Framework, ByValue(Framework)] | None = Field(
        default=None, description="whose round is minimised; EPSL's if not given"
    )
    average_every: PositiveInt | None = Field(
        default=None,
        description="I: client-side models are averaged after every so many rounds, of which the mean is minimised; "
        "for epsl and psl, never if not given",
    )

    @model_validator(mode="after")
    def _check_averaging(self) -> Self:
        """Only a framework that does not average anyhow averages on request."""
        if self.average_every is not None and not (self.framework or Framework.EPSL).averages_on_request:
            raise ValueError(f"average_every: is for epsl and psl only, not for {self.framework}")
        return self
