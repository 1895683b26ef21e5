"""The paper's scenario as studies vary it."""

from __future__ import annotations

CHANNELS = {"none": "flat channels", "rayleigh": "Rayleigh fading"}
"""Value of the scenario's option `fading` -> what it is called in findings and captions."""


def paper(**options: object) -> str:
    """Return a draw of the paper's scenario, as `load_instance` reads it."""
    return "paper:" + ",".join(f"{name}={value}" for name, value in options.items())
