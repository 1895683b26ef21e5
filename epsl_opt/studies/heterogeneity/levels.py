"""From clients that are all alike to clients that differ more than the paper's: in channel, in compute, in both."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Instance
from epsl_opt.core.stage_times import RoundStages
from epsl_opt.studies.shared.scenario import paper

TITLES = {"channel": "channels differ", "compute": "processors differ", "both": "both differ"}
KINDS = tuple(TITLES)
LEVELS = (0.0, 0.5, 1.0, 1.5)
QUICK_LEVELS = (0.0, 0.5, 1.5)
ALIKE = 0.0

AS_PUBLISHED = "paper"
"""Stands among the kinds for the paper's own draw, in which some clients see the server and others do not."""

COMPUTE_SPREAD = 2.0
"""At level 1.5 the slowest processor may have 0.4, the fastest 2.2 Gcycles/s; the paper's range is level 0.5."""


def source(kind: str, level: float, fading: str, seed: int) -> str:
    """Return the instance at a level of heterogeneity, as `load_instance` reads it.

    No client sees the server, unless the draw is the paper's own: so the mean path loss stays nearly where it is while
    its spread grows.
    """
    if kind == AS_PUBLISHED:
        return paper(fading=fading, seed=seed)
    channel, compute = (ALIKE if kind == other else level for other in ("compute", "channel"))
    spread = {"distance_spread": min(channel, 1.0), "shadowing": channel, "compute_spread": COMPUTE_SPREAD * compute}
    return paper(fading=fading, seed=seed, line_of_sight="nlos", **spread)


def spreads(instance: Instance) -> dict[str, float]:
    """Return how unequal the clients are: standard deviation of their mean gains in dB, fastest over slowest clock."""
    gain_db = 10 * np.log10(instance.channel.uplink_gain.mean(axis=1))
    speed = instance.client_flops_per_s
    return {"gain_spread_db": float(gain_db.std()), "clock_ratio": float(speed.max() / speed.min())}


def straggler_shares(latency: RoundStages) -> dict[str, float]:
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


def _mean_wait_s(end_s: FloatArray) -> float:
    """Return the mean wait of all but the last client, 0 if there is only one."""
    others = len(end_s) - 1
    return float((end_s.max() - end_s).sum() / others) if others else 0.0
