"""From clients that are all alike to clients that differ more than the paper's: in channel, in compute, in both."""

from __future__ import annotations

from collections.abc import Mapping

KINDS = ("channel", "compute", "both")
TITLES = {"channel": "channels differ", "compute": "processors differ", "both": "both differ"}
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
    options: dict[str, object] = {"fading": fading, "seed": seed}
    if kind != AS_PUBLISHED:
        options |= _options(level if kind != "compute" else ALIKE, level if kind != "channel" else ALIKE)
    return "paper:" + ",".join(f"{name}={value}" for name, value in options.items())


def _options(channel: float, compute: float) -> Mapping[str, object]:
    return {
        "line_of_sight": "nlos",
        "distance_spread": min(channel, 1.0),
        "shadowing": channel,
        "compute_spread": COMPUTE_SPREAD * compute,
    }
