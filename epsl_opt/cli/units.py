"""Numbers as people read them; files keep SI units and every digit."""

from __future__ import annotations

import math

NOTHING = "-"


def number(value: float | None, digits: int = 6) -> str:
    """Return `value` with so many significant digits, or `-` for None."""
    return NOTHING if value is None else f"{value:.{digits}g}"


def fixed(value: float | None, decimals: int = 4) -> str:
    """Return `value` with so many decimals, or `-` for None."""
    return NOTHING if value is None else f"{value:.{decimals}f}"


def percent(fraction: float | None, decimals: int = 3) -> str:
    """Return a fraction as a percentage, or `-` for None."""
    return NOTHING if fraction is None else f"{100 * fraction:.{decimals}f} %"


def decibels(ratio: float) -> float:
    """Return a power ratio in dB; minus infinity for 0."""
    return 10 * math.log10(ratio) if ratio > 0 else -math.inf


def dbm(power_w: float) -> str:
    """Return a power in dBm, or `-` for no power."""
    return f"{decibels(power_w * 1e3):.1f}" if power_w > 0 else NOTHING


def megabits(rate_bps: float) -> str:
    """Return a rate in Mbit/s."""
    return f"{rate_bps / 1e6:.4g}"
