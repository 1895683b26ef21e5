"""Lines of means with the band of their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from epsl_opt.report.intervals import Interval


def draw_band(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[Interval],
    scale: float = 1.0,
    *,
    banded: bool = True,
    **look: Any,
) -> None:
    """Draw a line of means and, where it is known and `banded`, the band of their intervals.

    Parameters
    ----------
    x, y
        Where, and what.
    scale
        What the values are multiplied by.
    banded
        Whether the band is drawn.
    look
        Of the line: `color` and whatever else matplotlib's `plot` takes.
    """
    mean, low, high = (scale * np.array([getattr(value, end) for value in y]) for end in ("mean", "low", "high"))
    axes.plot(x, mean, linewidth=1.3, **look)
    if banded:
        known = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(x, low, high, where=known, color=look["color"], alpha=0.15, linewidth=0)
