"""The paper's scenario as studies vary it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from epsl_opt.plugins.study import Row

CHANNELS = {"none": "flat channels", "rayleigh": "Rayleigh fading"}
"""Value of the scenario's option `fading` -> what it is called in findings and captions."""


@dataclass(frozen=True)
class OnChannel:
    """Rows of a study, to be looked through for one kind of channel; `fading` is a key of `CHANNELS`."""

    rows: Sequence[Row]
    fading: str

    @property
    def channel(self) -> str:
        """What the channel is called."""
        return CHANNELS[self.fading]


def paper(**options: object) -> str:
    """Return a draw of the paper's scenario, as `load_instance` reads it."""
    return "paper:" + ",".join(f"{name}={value}" for name, value in options.items())
