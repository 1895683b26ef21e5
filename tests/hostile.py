"""Hypothesis strategies for valid instances that are hostile: zero gains, zero and tiny traffic, many orders apart."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from strategies import instances_of_any_round

from epsl_opt import Instance
from epsl_opt.core.instance import Channel, CutLayer, Subchannels

TINY_BITS = (1e-300, 1e-30, 1e-9, 1e-3)


@st.composite
def hostile_instances(draw: st.DrawFn, max_clients: int = 3, max_subchannels: int = 5) -> Instance:
    """Small instances, about the round of any framework, that need not have a schedule."""
    drawn = draw(instances_of_any_round(max_clients, max_subchannels, max_cut_layers=3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    model = drawn.model.model_copy(update={"cut_layers": tuple(_cut(cut, random) for cut in drawn.model.cut_layers)})
    bandwidth = drawn.bandwidth_hz * 10 ** random.uniform(-1, 1, drawn.n_subchannels) ** draw(st.sampled_from([1, 9]))
    slowness = 10 ** draw(st.sampled_from([0.0, 0.0, 4.0, 9.0]))
    return drawn.replace(
        clients=tuple(c.model_copy(update={"cycles_per_s": c.cycles_per_s / slowness}) for c in drawn.clients),
        subchannels=Subchannels(bandwidth_hz=bandwidth, center_frequency_hz=drawn.subchannels.center_frequency_hz),
        channel=Channel(
            uplink_gain=_gain(drawn.channel.uplink_gain, random),
            downlink_gain=_gain(drawn.channel.downlink_gain, random),
            noise_psd_w_per_hz=drawn.channel.noise_psd_w_per_hz,
        ),
        model=model,
    )


def _gain(gain: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Spread over up to twelve more orders of magnitude, zero in places or not."""
    spread = gain * 10 ** (random.choice([0, 6]) * random.uniform(-1, 1, gain.shape))
    return np.where(random.random(gain.shape) < random.choice([0.0, 0.3, 0.6]), 0.0, spread)


def _cut(cut: CutLayer, random: np.random.Generator) -> CutLayer:
    bits = {name: _bits(getattr(cut, name), random) for name in ("activation_bits", "gradient_bits")}
    return cut.model_copy(update=bits)


def _bits(bits: float, random: np.random.Generator) -> float:
    kind = random.random()
    return 0.0 if kind < 0.2 else float(random.choice(TINY_BITS)) if kind < 0.3 else bits
