"""The resources that the study varies, one at a time, around the paper's scenario."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from epsl_opt.studies.shared.scenario import paper

BAND_HZ = 200e6
CLIENTS, SUBCHANNELS = 5, 20


@dataclass(frozen=True)
class Parameter:
    """A resource and the values it takes, the paper's among them; `axis` says what they count.

    `quick` are the values of the quick study.
    """

    name: str
    title: str
    axis: str
    paper: float
    values: tuple[float, ...]
    quick: tuple[float, ...]


PARAMETERS = (
    Parameter("bandwidth", "total bandwidth", "MHz", 200, (50, 100, 200, 400, 800), (50, 200, 800)),
    Parameter("subchannels", "subchannels", "number in 200 MHz", SUBCHANNELS, (5, 10, 20, 40, 80), (5, 20, 80)),
    Parameter("power", "total uplink power", "W", 5, (0.5, 1, 2, 5, 8), (0.5, 5, 8)),
    Parameter("server-compute", "server compute", "Gcycles/s", 5, (1.25, 2.5, 5, 10, 20), (1.25, 5, 20)),
    Parameter("client-compute", "client compute", "times the paper's", 1, (0.25, 0.5, 1, 2, 4), (0.25, 1, 4)),
    Parameter("clients", "clients", "number on 20 subchannels", CLIENTS, (2, 5, 8, 12, 16, 20), (2, 5, 12, 20)),
)
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}

OPTIONS: Mapping[str, Callable[[float], Mapping[str, float]]] = {
    "bandwidth": lambda mhz: {"bandwidth_hz": mhz * 1e6 / SUBCHANNELS},
    "subchannels": lambda count: {"subchannels": int(count), "bandwidth_hz": BAND_HZ / count},
    "power": lambda watts: {"total_power_dbm": 30 + 10 * math.log10(watts)},
    "server-compute": lambda gigacycles: {"server_cycles_per_s": gigacycles * 1e9},
    "client-compute": lambda factor: {"min_cycles_per_s": factor * 1e9, "max_cycles_per_s": factor * 1.6e9},
    "clients": lambda count: {"clients": int(count)},
}
"""Parameter -> the scenario options that give it a value."""

AS_PUBLISHED = "none"
"""Name of the setting in which nothing is varied."""


def source(parameter: str, value: float | None, fading: str, seed: int) -> str:
    """Return the instance with one parameter at a value, or the paper's own, as `load_instance` reads it."""
    varied = {} if parameter == AS_PUBLISHED or value is None else OPTIONS[parameter](value)
    return paper(fading=fading, seed=seed, **varied)
