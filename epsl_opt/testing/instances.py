"""Small instances that every solver should get right, among them the corners of the problem."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.instance import Channel, Client, CutLayer, Instance, ModelProfile, Server, Subchannels, Training

NOISE_W_PER_HZ = 3.98e-21


def draw_instance(
    name: str,
    seed: int,
    n_clients: int = 3,
    n_subchannels: int = 5,
    n_cut_layers: int = 2,
    aggregation_ratio: float = 0.5,
    total_uplink_power_w: float = 2.0,
) -> Instance:
    """Draw a feasible instance: unequal clients and bandwidths, independent gains over three orders of magnitude.

    Raises
    ------
    pydantic.ValidationError
        If a size is not positive or a parameter out of its range.
    """
    rng = np.random.default_rng(seed)
    bandwidth = rng.uniform(5e6, 2e7, n_subchannels)
    return Instance(
        name=name,
        clients=tuple(_client(rng, i) for i in range(n_clients)),
        server=Server(
            cycles_per_s=5e9,
            cycles_per_flop=1 / 32,
            downlink_psd_w_per_hz=1e-8,
            total_uplink_power_w=total_uplink_power_w,
        ),
        subchannels=Subchannels(bandwidth_hz=bandwidth, center_frequency_hz=28e9 + bandwidth.cumsum()),
        channel=Channel(
            uplink_gain=_gains(rng, n_clients, n_subchannels),
            downlink_gain=_gains(rng, n_clients, n_subchannels),
            noise_psd_w_per_hz=NOISE_W_PER_HZ,
        ),
        model=_model(rng, n_cut_layers),
        training=Training(batch_size=16, aggregation_ratio=aggregation_ratio),
    )


def tiny_instances() -> list[Instance]:
    """Return instances small enough to enumerate every allocation."""
    return [
        draw_instance("typical", 1),
        draw_instance("flat-power", 2, total_uplink_power_w=20.0),
        draw_instance("scarce-power", 3, total_uplink_power_w=0.02),
        draw_instance("as-many-subchannels-as-clients", 4, n_clients=3, n_subchannels=3),
        draw_instance("one-client", 5, n_clients=1, n_subchannels=4),
        draw_instance("one-client-one-subchannel", 6, n_clients=1, n_subchannels=1),
        draw_instance("one-cut-layer", 7, n_cut_layers=1),
        draw_instance("nothing-aggregated", 8, aggregation_ratio=0.0),
        draw_instance("all-aggregated", 9, aggregation_ratio=1.0),
        draw_instance("many-subchannels", 10, n_clients=2, n_subchannels=8),
    ]


def medium_instance() -> Instance:
    """Return an instance too large to enumerate, small enough for every solver to start on."""
    return draw_instance("medium", 11, n_clients=6, n_subchannels=24, n_cut_layers=3)


def crossed_instance() -> Instance:
    """Return an instance without schedule that only a search can tell: each subchannel serves one way per client."""
    instance = draw_instance("crossed", 12, n_clients=2, n_subchannels=2)
    channel = instance.channel.model_copy(
        update={"uplink_gain": 1e-10 * np.eye(2), "downlink_gain": 1e-10 * np.eye(2)[::-1]}
    )
    return instance.replace(channel=channel)


def _client(rng: np.random.Generator, index: int) -> Client:
    return Client(
        name=f"client-{index}",
        cycles_per_s=float(rng.uniform(1e9, 1.6e9)),
        cycles_per_flop=1 / 16,
        max_power_w=float(rng.uniform(0.5, 1.5)),
        samples=int(rng.integers(50, 200)),
    )


def _gains(rng: np.random.Generator, n_clients: int, n_subchannels: int) -> np.ndarray:
    return np.asarray(10 ** rng.uniform(-12, -9, (n_clients, n_subchannels)))


def _model(rng: np.random.Generator, n_cut_layers: int) -> ModelProfile:
    """Later cuts cost the client more and send less, so that no cut is best for all instances."""
    forward = rng.uniform(2e7, 2e8, n_cut_layers + 1).cumsum()
    last_layer = 1e4
    cuts = tuple(
        CutLayer(
            name=f"layer-{j + 1}",
            client_forward_flops=float(forward[j]),
            client_backward_flops=float(2 * forward[j]),
            activation_bits=1e6 / 2**j,
            gradient_bits=1e6 / 2**j,
            client_parameter_bits=1e6 * (j + 1),
        )
        for j in range(n_cut_layers)
    )
    return ModelProfile(
        name="drawn",
        total_forward_flops=float(forward[-1]),
        total_backward_flops=float(2 * forward[-1] + last_layer),
        last_layer_backward_flops=last_layer,
        total_parameter_bits=1e6 * (n_cut_layers + 1),
        cut_layers=cuts,
    )
