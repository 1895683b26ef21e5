"""The kinds of channel that studies look at."""

from __future__ import annotations

CHANNELS = {"none": "flat channels", "rayleigh": "Rayleigh fading"}
"""Value of the scenario's option `fading` -> what it is called in findings and captions."""
