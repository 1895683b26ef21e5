"""The allocation map: who holds which subchannel, with how much power."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from epsl_opt.core.arrays import FloatArray
from epsl_opt.files.breakdown import Breakdown
from epsl_opt.report.plots.style import new_figure, shorten, styled

SHADED_RANGE_DB = 40.0
"""Powers this far below the largest, and no power at all, have the palest shade."""

_MAX_NAMED_CLIENTS = 40
_MAX_GRID_CELLS = 2000
_MIN_CELL = 1 / 300
"""A cell covers at least this fraction of the picture, or many clients and subchannels would leave nothing to see."""


def plot_allocation(breakdown: Breakdown) -> Figure:
    """Draw clients (rows) over subchannels (columns); the shade is the uplink power in dBm, blank is not held."""
    C, M = breakdown.n_clients, len(breakdown.owner)
    with styled():
        figure = new_figure(_between(7.5, 3 + 0.16 * M, 11), _between(2.4, 1.4 + 0.26 * C, 8))
        axes = figure.subplots()
        cells = _cells(breakdown)
        axes.add_collection(cells)
        axes.set_xlim(-0.5, M - 0.5)
        axes.set_ylim(C - 0.5, -0.5)
        bar_aspect = _between(8, 2 * C, 30)
        figure.colorbar(cells, ax=axes, label="uplink power, dBm", pad=0.02, aspect=bar_aspect, extend="min")
        _label(axes, breakdown)
        if C * M <= _MAX_GRID_CELLS:
            _grid(axes, C, M)
    return figure


def _cells(breakdown: Breakdown) -> PolyCollection:
    """Return one rectangle per subchannel held."""
    C, M = breakdown.n_clients, len(breakdown.owner)
    held = np.flatnonzero(breakdown.owner >= 0)
    half = np.array([max(1.0, M * _MIN_CELL), max(1.0, C * _MIN_CELL)]) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    centres = np.column_stack([held, breakdown.owner[held]])
    power_dbm, floor_dbm = _power_dbm(breakdown.power_w[held])
    shown = PolyCollection(list(centres[:, None, :] + corners), cmap=_shades(), edgecolors="none", zorder=0.5)
    shown.set_array(power_dbm)
    shown.set_clim(floor_dbm, floor_dbm + SHADED_RANGE_DB)
    return shown


def _power_dbm(power_w: FloatArray) -> tuple[FloatArray, float]:
    """Return powers in dBm, none of them below the floor, and the floor."""
    largest_w = float(power_w.max(initial=0.0)) or 1e-3
    floor_dbm = 10 * np.log10(largest_w * 1e3) - SHADED_RANGE_DB
    floor_w = 10 ** (floor_dbm / 10) / 1e3
    return 10 * np.log10(np.maximum(power_w, floor_w) * 1e3), float(floor_dbm)


def _shades() -> ListedColormap:
    """Light to dark blue, even in grey print; the lightest still differs from the paper."""
    stops = np.array([[0.74, 0.84, 0.93], [0.34, 0.62, 0.80], [0.0, 0.45, 0.70], [0.03, 0.19, 0.42]])
    x = np.linspace(0, 1, 256)
    rgb = np.column_stack([np.interp(x, np.linspace(0, 1, len(stops)), channel) for channel in stops.T])
    return ListedColormap(rgb, name="epsl-power")


def _label(axes: Axes, breakdown: Breakdown) -> None:
    document = breakdown.document
    axes.set_title(f"{shorten(document.instance.name, 40)}: allocation by {shorten(document.solver)}")
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
