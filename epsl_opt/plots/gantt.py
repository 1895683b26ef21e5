"""The round as a Gantt chart: every client's stages, the server's, and the barriers where all wait."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from epsl_opt.arrays import FloatArray, IntArray
from epsl_opt.breakdown import Breakdown
from epsl_opt.plots.style import MARK, STAGE_COLOURS, new_figure, shorten, styled

_MAX_NAMED_CLIENTS = 40
_BARRIERS = {"uplink phase": "all uploaded", "broadcast": "broadcast done", "downlink phase": "round ends"}
_MIN_LABEL_DISTANCE = 0.14


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
    forward, uplink = np.asarray(stages.client_forward_s), np.asarray(stages.uplink_s)
    downlink, backward = np.asarray(stages.downlink_s), np.asarray(stages.client_backward_s)
    received = np.full(len(rows), breakdown.phases[3].end_s)
    _bars(axes, rows, np.zeros(len(rows)), forward, "client forward")
    _bars(axes, rows, forward, uplink, "uplink")
    _bars(axes, rows, received, downlink, "downlink")
    _bars(axes, rows, received + downlink, backward, "client backward")


def _draw_server(axes: Axes, breakdown: Breakdown) -> None:
    row = np.array([breakdown.n_clients])
    for phase in breakdown.phases[1:4]:
        _bars(axes, row, np.array([phase.start_s]), np.array([phase.duration_s]), phase.name)


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
    """Draw where all wait, and say when; labels that would touch go to the next line up."""
    total = breakdown.phases[-1].end_s or 1.0
    last_s, level = -np.inf, 0
    for phase in breakdown.phases:
        if phase.name not in _BARRIERS:
            continue
        level = level + 1 if (phase.end_s - last_s) / total < _MIN_LABEL_DISTANCE else 0
        last_s = phase.end_s
        axes.axvline(phase.end_s, color=MARK, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            f"{_BARRIERS[phase.name]}\n{phase.end_s:.4g} s",
            (phase.end_s, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 22 * level),
            textcoords="offset points",
            ha="right" if phase.end_s > 0.9 * total else "center",
            va="bottom",
            fontsize=8,
            color=MARK,
        )


def _label(axes: Axes, breakdown: Breakdown) -> None:
    C, document = breakdown.n_clients, breakdown.document
    axes.set_title(f"{shorten(document.instance.name, 40)}: one round by {document.solver}", pad=34)
    axes.set_xlabel("time from the start of the round, s")
    axes.set_xlim(0, breakdown.phases[-1].end_s or 1.0)
    axes.set_ylim(C + 0.6, -0.6)
    if C <= _MAX_NAMED_CLIENTS:
        axes.set_yticks(range(C + 1), [*(shorten(name) for name in breakdown.names), "server"])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
        axes.set_ylabel(f"client (of {C}; the last row is the server)")
