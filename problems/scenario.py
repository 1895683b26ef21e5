"""The paper's scenario: clients in a disc around an edge server at 28 GHz (paper, section VII)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Channel, Client, Instance, Server, Subchannels, Training
from epsl_opt.plugins.scenario import Scenario
from epsl_opt.problems import measured, model_profiles, radio
from epsl_opt.problems.measured_clients import with_measured
from epsl_opt.problems.paper_options import PaperOptions
from epsl_opt.problems.radio import Radio
from epsl_opt.problems.streams import Concern, stream, uniforms
from epsl_opt.problems.units import dbm_to_w

MAX_NAME = 200


class PaperScenario(Scenario[PaperOptions]):
    """The paper's simulation set-up, every number of it an option."""

    name: ClassVar[str] = "paper"
    summary: ClassVar[str] = "clients in a disc around an edge server at 28 GHz, the paper's simulation set-up"
    options_type: ClassVar[type[PaperOptions]] = PaperOptions

    def generate(self, options: PaperOptions) -> Instance:
        """Draw the instance; equal options give equal instances.

        Raises
        ------
        InputError
            If a file of measurements or clients or a model profile is missing or wrong, or does not fit the options.
        """
        tables = measured.read_tables(options)
        if tables:
            options = measured.with_measured_size(options, tables)
        bands = subchannels(options)
        air = (
            measured.measured(options, tables, bands.bandwidth_hz)
            if tables
            else radio.modelled(options, bands.center_frequency_hz)
        )
        return Instance(
            name=instance_name(self.name, options),
            clients=clients(options, air),
            server=server(options),
            subchannels=bands,
            channel=Channel(
                uplink_gain=air.uplink_gain,
                downlink_gain=air.downlink_gain,
                noise_psd_w_per_hz=dbm_to_w(options.noise_psd_dbm_per_hz),
            ),
            model=model_profiles.load(options.model),
            training=Training(batch_size=options.batch_size, aggregation_ratio=options.aggregation_ratio),
            origin={"scenario": self.name, "options": options.model_dump(mode="json", exclude_none=True)},
        )


def instance_name(scenario: str, options: PaperOptions) -> str:
    """Return the scenario with the options that are not at their default, as `load_instance` would read it."""
    pairs = ",".join(f"{name}={value}" for name, value in options.changed().items())
    name = f"{scenario}:{pairs}" if pairs else scenario
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"


def clients(options: PaperOptions, air: Radio) -> tuple[Client, ...]:
    """Draw the clients' processors and data."""
    clocks, samples = cycles_per_s(options), sample_counts(options)
    drawn = tuple(
        Client(
            name=f"client-{i}",
            cycles_per_s=clocks[i],
            cycles_per_flop=options.client_cycles_per_flop,
            max_power_w=dbm_to_w(options.client_power_dbm),
            samples=samples[i],
            distance_m=None if air.distance_m is None else float(air.distance_m[i]),
            line_of_sight=None if air.line_of_sight is None else bool(air.line_of_sight[i]),
        )
        for i in range(options.clients)
    )
    return drawn if options.clients_json is None else with_measured(drawn, options.clients_json)


def cycles_per_s(options: PaperOptions) -> list[float]:
    """Draw f_i, uniform in the range of the options, stretched around its middle by `compute_spread`."""
    middle = (options.min_cycles_per_s + options.max_cycles_per_s) / 2
    half = (options.max_cycles_per_s - options.min_cycles_per_s) / 2 * options.compute_spread
    drawn = uniforms(options.seed, Concern.COMPUTE, options.clients)
    return [float(f) for f in middle + half * (2 * drawn - 1)]


def sample_counts(options: PaperOptions) -> list[int]:
    """Draw |D_i|, uniform within `sample_spread` around the mean, at least 1."""
    drawn = 1 + options.sample_spread * (2 * uniforms(options.seed, Concern.SAMPLES, options.clients) - 1)
    return [max(1, round(float(share) * options.samples)) for share in drawn]


def server(options: PaperOptions) -> Server:
    """Return the server."""
    return Server(
        cycles_per_s=options.server_cycles_per_s,
        cycles_per_flop=options.server_cycles_per_flop,
        downlink_psd_w_per_hz=dbm_to_w(options.downlink_psd_dbm_per_hz),
        total_uplink_power_w=dbm_to_w(options.total_power_dbm),
    )


def subchannels(options: PaperOptions) -> Subchannels:
    """Draw the bandwidths and lay the subchannels side by side, the whole band around the centre frequency.

    Raises
    ------
    InputError
        If the band would reach down to 0 Hz.
    """
    bandwidth = bandwidths_hz(options)
    upper_edge = np.cumsum(bandwidth)
    lowest = options.center_frequency_hz - upper_edge[-1] / 2
    if lowest <= 0:
        problem = f"{upper_edge[-1]:g} Hz in all do not fit around {options.center_frequency_hz:g} Hz"
        raise InputError("scenario paper", problem, "bandwidth_hz")
    return Subchannels(bandwidth_hz=bandwidth, center_frequency_hz=lowest + upper_edge - bandwidth / 2)


def bandwidths_hz(options: PaperOptions) -> FloatArray:
    """Draw B_k, uniform within `bandwidth_spread` around the mean, shape (subchannels,)."""
    drawn = stream(options.seed, Concern.BANDWIDTH).random(options.subchannels)
    return options.bandwidth_hz * (1 + options.bandwidth_spread * (2 * drawn - 1))
