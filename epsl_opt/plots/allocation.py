"""The allocation map: who holds which subchannel, with how much power."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from epsl_opt.arrays import FloatArray
from epsl_opt.breakdown import Breakdown
from epsl_opt.plots.style import new_figure, shorten, styled

_MAX_NAMED_CLIENTS = 40
_MAX_GRID_CELLS = 2000


def plot_allocation(breakdown: Breakdown) -> Figure:
    """Draw clients (rows) over subchannels (columns); the shade is the uplink power in milliwatts.

    A subchannel that is held without power has a shade of its own; one that nobody holds is blank.
    """
    C, M = breakdown.n_clients, len(breakdown.owner)
    with styled():
        figure = new_figure(_between(5.5, 2.6 + 0.16 * M, 11), _between(2.4, 1.4 + 0.26 * C, 8))
        axes = figure.subplots()
        power_mw = _power_map(breakdown) * 1e3
        shown = axes.imshow(
            np.ma.masked_invalid(power_mw),
            aspect="auto",
            interpolation="nearest",
            cmap=_shades(),
            vmin=0,
            vmax=max(float(np.nanmax(power_mw, initial=0.0)), 1e-9),
        )
        figure.colorbar(shown, ax=axes, label="uplink power, mW", pad=0.02, aspect=_between(8, 2 * C, 30))
        _label(axes, breakdown)
        if C * M <= _MAX_GRID_CELLS:
            _grid(axes, C, M)
    return figure


def _power_map(breakdown: Breakdown) -> FloatArray:
    """Return watts by client and subchannel, NaN where the client does not hold the subchannel."""
    C, M = breakdown.n_clients, len(breakdown.owner)
    held = np.flatnonzero(breakdown.owner >= 0)
    power = np.full((C, M), np.nan)
    power[breakdown.owner[held], held] = breakdown.power_w[held]
    return power


def _shades() -> ListedColormap:
    """Light to dark blue, even in grey print; the lightest still differs from the paper."""
    stops = np.array([[0.80, 0.88, 0.95], [0.34, 0.62, 0.80], [0.0, 0.45, 0.70], [0.03, 0.19, 0.42]])
    x = np.linspace(0, 1, 256)
    rgb = np.column_stack([np.interp(x, np.linspace(0, 1, len(stops)), channel) for channel in stops.T])
    return ListedColormap(rgb, name="epsl-power")


def _label(axes: Axes, breakdown: Breakdown) -> None:
    document = breakdown.document
    axes.set_title(f"{shorten(document.instance.name, 40)}: subchannels and power by {document.solver}")
    axes.set_xlabel(f"subchannel (of {len(breakdown.owner)})")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    if breakdown.n_clients <= _MAX_NAMED_CLIENTS:
        axes.set_yticks(range(breakdown.n_clients), [shorten(name) for name in breakdown.names])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
        axes.set_ylabel(f"client (of {breakdown.n_clients})")


def _grid(axes: Axes, C: int, M: int) -> None:
    axes.set_xticks(np.arange(-0.5, M), minor=True)
    axes.set_yticks(np.arange(-0.5, C), minor=True)
    axes.grid(which="minor")
    axes.tick_params(which="minor", length=0)


def _between(low: float, value: float, high: float) -> float:
    return min(max(low, value), high)
