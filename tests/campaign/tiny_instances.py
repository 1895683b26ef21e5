"""Random instances small enough to enumerate: zero and tiny traffic, zero gains, twelve orders of magnitude."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Channel, Client, CutLayer, Instance, ModelProfile, Server, Subchannels, Training

MOST_CLIENTS = 4
MOST_SUBCHANNELS = 7
MOST_CUT_LAYERS = 3
TINY = (1e-300, 1e-30, 1e-15, 1e-13, 1e-6, 1e-3)
RATIOS = (0.0, 1e-9, 0.3, 0.5, 0.999, 1.0)
NOISE_W_PER_HZ = 3.98e-21


def random_instance(rng: np.random.Generator) -> Instance:
    """Draw an instance of 1..4 clients, 1..7 subchannels and 1..3 cut layers; it need not have a schedule.

    Every kind of quantity is drawn either near the paper's values, or over many orders of magnitude, or partly zero or
    tiny; clients and subchannels may be copies or near-copies of one another.
    """
    C = int(rng.integers(1, MOST_CLIENTS + 1))
    M = int(rng.integers(C if rng.uniform() < 0.9 else 1, MOST_SUBCHANNELS + 1))
    power = rng.choice([1.0, 1.0, 1e-3, 1e-8])
    clients = tuple(_client(rng, i, power) for i in range(C))
    bandwidth = _spread(rng, 1e7, rng.choice([0.0, 1.0, 3.0]), M)
    up, down = _channel(rng, C, M)
    if C > 1 and rng.uniform() < 0.2:
        clients = (*clients[:-1], clients[-2].model_copy(update={"name": f"client-{C - 1}"}))
        up[-1], down[-1] = up[-2], down[-2]
        if rng.uniform() < 0.5:
            up[-1] *= 1 + 1e-6 * rng.uniform()
    if M > 1 and rng.uniform() < 0.3:
        bandwidth[-1], up[:, -1], down[:, -1] = bandwidth[0], up[:, 0], down[:, 0]
    model = _model(rng)
    names = [cut.name for cut in model.cut_layers]
    return Instance(
        name="random",
        clients=clients,
        server=Server(
            cycles_per_s=float(_spread(rng, 1e10, 1.0)),
            cycles_per_flop=1 / 32,
            downlink_psd_w_per_hz=float(_spread(rng, 1e-8, rng.choice([0.5, 3.0]))),
            total_uplink_power_w=float(_spread(rng, power * C, rng.choice([0.5, 3.0]))),
        ),
        subchannels=Subchannels(bandwidth_hz=bandwidth, center_frequency_hz=np.full(M, 28e9)),
        channel=Channel(uplink_gain=up, downlink_gain=down, noise_psd_w_per_hz=NOISE_W_PER_HZ),
        model=model,
        training=Training(
            batch_size=int(rng.choice([1, 2, 16, 64])),
            aggregation_ratio=float(rng.choice(RATIOS)),
            min_cut_layer=str(rng.choice(names)) if rng.uniform() < 0.1 else None,
        ),
    )


def _spread(rng: np.random.Generator, middle: float, orders: float, size: int | None = None) -> FloatArray:
    """Values within so many orders of magnitude of `middle`, even in their logarithm."""
    return np.asarray(middle * 10 ** rng.uniform(-orders, orders, size))


def _client(rng: np.random.Generator, index: int, power_w: float) -> Client:
    memory = float(_spread(rng, 1e8, 3.0)) if rng.uniform() < 0.05 else None
    return Client(
        name=f"client-{index}",
        cycles_per_s=float(_spread(rng, 1.3e9, rng.choice([0.1, 1.0, 6.0], p=[0.6, 0.3, 0.1]))),
        cycles_per_flop=1 / 16,
        max_power_w=float(_spread(rng, power_w, rng.choice([0.2, 2.0]))),
        samples=int(rng.integers(1, 3000)),
        memory_bits=memory,
    )


def _channel(rng: np.random.Generator, n_clients: int, n_subchannels: int) -> tuple[FloatArray, FloatArray]:
    """Gains up and down: alike or not, flat or not, zero in places or not, over up to twelve orders of magnitude."""
    shape = (n_clients, n_subchannels)
    orders = rng.choice([0.0, 1.0, 3.0, 6.0])
    up = 1e-12 * 10 ** (rng.uniform(-2, 2, (n_clients, 1)) + rng.uniform(-orders, orders, shape))
    down = up.copy() if rng.uniform() < 0.5 else 1e-12 * 10 ** rng.uniform(-orders, orders, shape)
    return up * _heard(rng, shape), down * _heard(rng, shape)


def _heard(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Ones, or ones and zeros."""
    if rng.uniform() >= 0.25:
        return np.ones(shape)
    return 1.0 * (rng.uniform(size=shape) < rng.choice([0.4, 0.7]))


def _bits(rng: np.random.Generator, scale: float) -> float:
    """What is sent: often ordinary, sometimes nothing or next to nothing."""
    kind = rng.choice(["ordinary", "spread", "zero", "tiny"], p=[0.55, 0.25, 0.1, 0.1])
    if kind == "zero":
        return 0.0
    if kind == "tiny":
        return float(rng.choice(TINY))
    return float(_spread(rng, scale, 0.7 if kind == "ordinary" else 6.0))


def _model(rng: np.random.Generator) -> ModelProfile:
    """Cut layers of any cost; the first may leave the clients no work at all."""
    J = int(rng.integers(1, MOST_CUT_LAYERS + 1))
    scale = float(rng.choice([1e5, 1e8, 1e8, 1e11]))
    forward = (scale * rng.uniform(0.01, 1, J)).cumsum()
    if rng.uniform() < 0.15:
        forward[0] = 0.0
    total, last_layer = float(2 * forward[-1] + scale), float(rng.choice([0.0, 1e4]))
    cuts = tuple(
        CutLayer(
            name=f"cut-{j}",
            client_forward_flops=float(forward[j]),
            client_backward_flops=float(2 * forward[j]),
            activation_bits=_bits(rng, 1e6),
            gradient_bits=_bits(rng, 1e6),
            client_parameter_bits=1e6 * j,
        )
        for j in range(J)
    )
    return ModelProfile(
        name="random",
        total_forward_flops=total,
        total_backward_flops=2 * total + last_layer,
        last_layer_backward_flops=last_layer,
        total_parameter_bits=1e6 * (J + 1),
        cut_layers=cuts,
    )
