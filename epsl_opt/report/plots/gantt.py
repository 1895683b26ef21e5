"""The round as a Gantt chart: every client's stages, the server's, and the barriers where all wait."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.files.breakdown import Breakdown
from epsl_opt.report.plots.style import MARK, STAGE_COLOURS, new_figure, shorten, styled

_MAX_NAMED_CLIENTS = 40
_BARRIERS = {"uplink phase": "all uploaded", "broadcast": "broadcast done", "downlink phase": "round ends"}
_MIN_LABEL_DISTANCE = 0.15
_LABEL_HEIGHT_PT = 24


def plot_gantt(breakdown: Breakdown) -> Figure:
    """Draw one round over time in seconds: one row per client, the server's below."""
    C = breakdown.n_clients
    with styled():
        figure = new_figure(9.5, min(max(2.8, 1.9 + 0.24 * (C + 1)), 9))
        axes = figure.subplots()
        _draw_clients(axes, breakdown)
        _draw_server(axes, breakdown)
        _draw_barriers(axes, breakdown)
        _label(axes, breakdown)
        handles = [
            Patch(facecolor=colour, edgecolor="0.3", linewidth=0.4, label=stage)
            for stage, colour in STAGE_COLOURS.items()
        ]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), handlelength=1.2, columnspacing=1.2
        )
    return figure


def _draw_clients(axes: Axes, breakdown: Breakdown) -> None:
    stages, rows = breakdown.stages, np.arange(breakdown.n_clients)
    received = np.full(len(rows), breakdown.phases[3].end_s)
    _bars(axes, rows, np.zeros(len(rows)), stages.client_forward_s, "client forward")
    _bars(axes, rows, stages.client_forward_s, stages.uplink_s, "uplink")
    _bars(axes, rows, received, stages.downlink_s, "downlink")
    _bars(axes, rows, received + stages.downlink_s, stages.client_backward_s, "client backward")


def _draw_server(axes: Axes, breakdown: Breakdown) -> None:
    height = _server_height(breakdown.n_clients)
    middle = breakdown.n_clients - 0.5 + height / 2
    for phase in breakdown.phases[1:4]:
        axes.barh(
            middle,
            phase.duration_s,
            left=phase.start_s,
            height=0.8 * height,
            color=STAGE_COLOURS[phase.name],
            edgecolor="0.3",
            linewidth=0.4,
        )


def _server_height(n_clients: int) -> float:
    """Return the height of the server's row, in clients' rows: visible however many there are."""
    return max(1.0, n_clients / 25)


def _bars(axes: Axes, rows: IntArray, start_s: FloatArray, duration_s: FloatArray, stage: str) -> None:
    edge = 0.4 if len(rows) <= _MAX_NAMED_CLIENTS else 0.0
    axes.barh(
        rows,
        duration_s,
        left=start_s,
        height=0.8 if edge else 1.0,
        color=STAGE_COLOURS[stage],
        edgecolor="0.3",
        linewidth=edge,
    )


def _draw_barriers(axes: Axes, breakdown: Breakdown) -> None:
    """Draw where all wait, and say when; labels of barriers that are close stand away from each other."""
    barriers = [phase for phase in breakdown.phases if phase.name in _BARRIERS]
    total = barriers[-1].end_s or 1.0
    close = (np.diff([phase.end_s for phase in barriers]) / total < _MIN_LABEL_DISTANCE).tolist()
    levels = [0, 0, int(close[1])]
    sides = ["right" if close[0] else "center", "left" if close[0] else "center", "right"]
    shifts_pt = {"right": -2, "center": 0, "left": 2}
    for phase, level, side in zip(barriers, levels, sides, strict=True):
        axes.axvline(phase.end_s, color=MARK, linewidth=1.0, linestyle=(0, (4, 2)), clip_on=False)
        axes.annotate(
            f"{_BARRIERS[phase.name]}\n{phase.end_s:.4g} s",
            (phase.end_s, 1),
            xycoords=("data", "axes fraction"),
            xytext=(shifts_pt[side], 3 + _LABEL_HEIGHT_PT * level),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=8,
            color=MARK,
        )
    title = f"{shorten(breakdown.document.instance.name, 40)}: one round by {shorten(breakdown.document.solver)}"
    axes.set_title(title, pad=8 + _LABEL_HEIGHT_PT * (1 + max(levels)))


def _label(axes: Axes, breakdown: Breakdown) -> None:
    C = breakdown.n_clients
    axes.set_xlabel("time from the start of the round, s")
    axes.set_xlim(0, breakdown.phases[-1].end_s or 1.0)
    bottom = C - 0.5 + _server_height(C)
    axes.set_ylim(bottom + 0.1, -0.6)
    if C <= _MAX_NAMED_CLIENTS:
        axes.set_yticks([*range(C), (C - 0.5 + bottom) / 2], [*(shorten(name) for name in breakdown.names), "server"])
    else:
        ticks = [tick for tick in MaxNLocator(nbins=10, integer=True).tick_values(0, C - 1) if 0 <= tick < 0.97 * C]
        axes.set_yticks([*ticks, (C - 0.5 + bottom) / 2], [*(f"{tick:.0f}" for tick in ticks), "server"])
        axes.set_ylabel(f"client (of {C})")
