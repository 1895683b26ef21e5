"""The round as a Gantt chart: every client's stages, the server's, and the barriers where all wait."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.files.breakdown import Breakdown
from epsl_opt.files.round_phases import DOWNLINK, LOCAL, MODELS, UPLINK, Parts, local_parts, turn_parts
from epsl_opt.report.plots.style import EXCHANGE_COLOURS, MARK, STAGE_COLOURS, new_figure, shorten, styled

_MAX_NAMED_CLIENTS = 40
_BARRIERS = {
    UPLINK: "all uploaded",
    "broadcast": "broadcast done",
    DOWNLINK: "all trained",
    MODELS: "models sent",
    LOCAL: "models sent",
}
_COLOURS = STAGE_COLOURS | EXCHANGE_COLOURS
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
        shown = {str(bar.get_label()) for bar in axes.containers}
        handles = [
            Patch(facecolor=colour, edgecolor="0.3", linewidth=0.4, label=stage)
            for stage, colour in _COLOURS.items()
            if stage in shown
        ]
        figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=len(handles) if len(handles) <= 7 else -(-len(handles) // 2),
            handlelength=1.2,
            columnspacing=1.2,
        )
    return figure


def _draw_clients(axes: Axes, breakdown: Breakdown) -> None:
    stages, phases = breakdown.stages, {phase.name: phase for phase in breakdown.phases}
    if breakdown.document.framework is Framework.SL:
        starts = np.array([phase.start_s for phase in breakdown.phases])
        _in_turn(axes, starts, turn_parts(stages))
        return
    now = np.zeros(breakdown.n_clients)
    if breakdown.document.framework is Framework.FL:
        _in_turn(axes, now, local_parts(stages))
        return
    _in_turn(axes, now, {"client forward": stages.client_forward_s, "uplink": stages.uplink_s})
    back = {"downlink": stages.downlink_s, "client backward": stages.client_backward_s}
    _in_turn(axes, now + phases[DOWNLINK].start_s, back)
    if stages.model_upload_s is not None:
        _in_turn(axes, now + phases[MODELS].start_s, {"model upload": stages.model_upload_s})


def _in_turn(axes: Axes, start_s: FloatArray, parts: Parts) -> None:
    """Draw what every client does, one stage after another; in a client's turn the server's part is the server's."""
    rows = np.arange(len(start_s))
    for stage, duration_s in parts.items():
        if stage.startswith("server"):
            _server_bars(axes, len(rows), start_s, duration_s, stage)
        else:
            _bars(axes, rows, start_s, duration_s, stage)
        start_s = start_s + duration_s


def _draw_server(axes: Axes, breakdown: Breakdown) -> None:
    for phase in breakdown.phases:
        if phase.name in _COLOURS and phase.name != MODELS:
            start_s, duration_s = np.array([phase.start_s]), np.array([phase.duration_s])
            _server_bars(axes, breakdown.n_clients, start_s, duration_s, phase.name)


def _server_bars(axes: Axes, n_clients: int, start_s: FloatArray, duration_s: FloatArray, stage: str) -> None:
    height = _server_height(n_clients)
    axes.barh(
        np.full(len(start_s), n_clients - 0.5 + height / 2),
        duration_s,
        left=start_s,
        height=0.8 * height,
        color=_COLOURS[stage],
        edgecolor="0.3",
        linewidth=0.4,
        label=stage,
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
        color=_COLOURS[stage],
        edgecolor="0.3",
        linewidth=edge,
        label=stage,
    )


def _draw_barriers(axes: Axes, breakdown: Breakdown) -> None:
    """Draw where all wait, and say when; labels of barriers that are close stand away from each other."""
    barriers = [(_BARRIERS[phase.name], phase.end_s) for phase in breakdown.phases[:-1] if phase.name in _BARRIERS]
    barriers.append(("round ends", breakdown.phases[-1].end_s))
    total = barriers[-1][1] or 1.0
    close = (np.diff([end_s for _, end_s in barriers]) / total < _MIN_LABEL_DISTANCE).tolist()
    levels, sides = _places(close)
    shifts_pt = {"right": -2, "center": 0, "left": 2}
    for (name, end_s), level, side in zip(barriers, levels, sides, strict=True):
        axes.axvline(end_s, color=MARK, linewidth=1.0, linestyle=(0, (4, 2)), clip_on=False)
        axes.annotate(
            f"{name}\n{end_s:.4g} s",
            (end_s, 1),
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


def _places(close: list[bool]) -> tuple[list[int], list[str]]:
    """Return how high and on which side of its barrier each label stands, from which are close to the one before."""
    if len(close) == 2:  # the usual round
        beside = ["right", "left"] if close[0] else ["center", "center"]
        return [0, 0, int(close[1])], [*beside, "right"]
    levels = [0]
    for near in close:
        levels.append(levels[-1] + 1 if near else 0)
    return levels, [*(["center"] * len(close)), "right"]


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
