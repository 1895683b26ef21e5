"""What waiting for the slowest client costs in a round."""

from __future__ import annotations

from typing import Any

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import RoundLatency


def straggler_shares(latency: RoundLatency) -> dict[str, float]:
    """Return shares of the round latency, by name.

    `straggler_share`: by how much the round would be shorter if, in both phases, the last client were as quick as the
    median one. `waiting_share`: what a client that is not the last of a phase spends waiting for it, on average over
    clients, both phases together.
    """
    phases = (latency.client_forward_s + latency.uplink_s, latency.downlink_s + latency.client_backward_s)
    total = latency.round_latency_s
    return {
        "straggler_share": sum(float(phase.max() - np.median(phase)) for phase in phases) / total,
        "waiting_share": sum(_mean_wait_s(phase) for phase in phases) / total,
    }


def spreads(instance: Instance) -> dict[str, Any]:
    """Return how unequal the clients are: standard deviation of their mean gains in dB, fastest over slowest clock."""
    gain_db = 10 * np.log10(instance.channel.uplink_gain.mean(axis=1))
    speed = instance.client_flops_per_s
    return {"gain_spread_db": float(gain_db.std()), "clock_ratio": float(speed.max() / speed.min())}


def _mean_wait_s(end_s: FloatArray) -> float:
    """Return the mean wait of all but the last client, 0 if there is only one."""
    others = len(end_s) - 1
    return float((end_s.max() - end_s).sum() / others) if others else 0.0
