"""The resources that the study varies, one at a time, around the paper's scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

BAND_HZ = 200e6
CLIENTS, SUBCHANNELS = 5, 20

Options = Mapping[str, float | int]


@dataclass(frozen=True)
class Parameter:
    """A resource, the values it takes (the paper's among them), and the scenario options that give it one.

    `quick` are the values of the quick study.
    """

    name: str
    title: str
    axis: str
    paper: float
    values: tuple[float, ...]
    quick: tuple[float, ...]
    options: Callable[[float], Options]


PARAMETERS = (
    Parameter(
        name="bandwidth",
        title="total bandwidth",
        axis="MHz",
        paper=200,
        values=(50, 100, 200, 400, 800),
        quick=(50, 200, 800),
        options=lambda mhz: {"bandwidth_hz": mhz * 1e6 / SUBCHANNELS},
    ),
    Parameter(
        name="subchannels",
        title="subchannels",
        axis="number in 200 MHz",
        paper=SUBCHANNELS,
        values=(5, 10, 20, 40, 80),
        quick=(5, 20, 80),
        options=lambda count: {"subchannels": int(count), "bandwidth_hz": BAND_HZ / count},
    ),
    Parameter(
        name="power",
        title="total uplink power",
        axis="W",
        paper=5,
        values=(0.5, 1, 2, 5, 8),
        quick=(0.5, 5, 8),
        options=lambda watts: {"total_power_dbm": 30 + 10 * math.log10(watts)},
    ),
    Parameter(
        name="server-compute",
        title="server compute",
        axis="Gcycles/s",
        paper=5,
        values=(1.25, 2.5, 5, 10, 20),
        quick=(1.25, 5, 20),
        options=lambda gigacycles: {"server_cycles_per_s": gigacycles * 1e9},
    ),
    Parameter(
        name="client-compute",
        title="client compute",
        axis="times the paper's",
        paper=1,
        values=(0.25, 0.5, 1, 2, 4),
        quick=(0.25, 1, 4),
        options=lambda factor: {"min_cycles_per_s": factor * 1e9, "max_cycles_per_s": factor * 1.6e9},
    ),
    Parameter(
        name="clients",
        title="clients",
        axis="number on 20 subchannels",
        paper=CLIENTS,
        values=(2, 5, 8, 12, 16, 20),
        quick=(2, 5, 12, 20),
        options=lambda count: {"clients": int(count)},
    ),
)
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}

AS_PUBLISHED = "none"
"""Name of the setting in which nothing is varied."""


def source(parameter: str, value: float | None, fading: str, seed: int) -> str:
    """Return the instance with one parameter at a value, or the paper's own, as `load_instance` reads it."""
    options: dict[str, object] = {"fading": fading, "seed": seed}
    if parameter != AS_PUBLISHED and value is not None:
        options |= BY_NAME[parameter].options(value)
    return "paper:" + ",".join(f"{name}={option}" for name, option in options.items())
