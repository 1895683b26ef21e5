"""What an instance holds and what follows from it; whether the parts fit each other is `Instance`'s to check."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from epsl_opt.core.arrays import FloatArray, frozen
from epsl_opt.core.instance_parts import Channel, Client, ModelProfile, Server, Subchannels, Training
from epsl_opt.core.record import AsTuple, JsonObject, Name, Record


class InstanceData(Record):
    """The fields of an instance, and what is computed from them."""

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
