"""The course of a solve: incumbent, bound and the gap between them over time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeGuard

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.errors import SCHEDULE, InputError
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.report.plots.style import MARK, new_figure, shorten, styled

_LEAST_PERCENT = 1e-7
"""A gap that is closed, which a logarithmic axis can't show, is drawn here."""

_EARLIEST_S = 1e-3
_ROW_LENGTH = 3
_FIELD = "provenance.trace"


def plot_gap(document: ScheduleDocument) -> Figure:
    """Draw incumbent and bound (above) and the gap in percent (below, if there is one) over logarithmic time.

    Raises
    ------
    InputError
        If the document has no trace, or one that is not rows of numbers.
    """
    time_s, latency_s, bound_s = trace(document)
    has_gap = not np.isnan(latency_s - bound_s).all()
    with styled():
        figure = new_figure(8.0, 4.6 if has_gap else 3.0)
        panels = figure.subplots(1 + has_gap, 1, sharex=True, squeeze=False, height_ratios=[3, 2][: 1 + has_gap])[:, 0]
        _draw_values(panels[0], time_s, latency_s, bound_s)
        if has_gap:
            _draw_gap(panels[1], document, time_s, latency_s, bound_s)
        panels[0].set_title(f"{shorten(document.instance.name, 40)}: solved by {shorten(document.solver)}")
        _label_time(panels[-1])
    return figure


def trace(document: ScheduleDocument) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times, latencies and bounds in seconds, NaN where there were none, up to the end of the run.

    Raises
    ------
    InputError
        If the document has no trace, or one that is not rows of numbers.
    """
    rows = document.provenance.get("trace")
    if not isinstance(rows, list) or not rows:
        raise InputError(SCHEDULE, "has no trace of its solve to draw", _FIELD)
    if not all(isinstance(row, list) and len(row) == _ROW_LENGTH and all(map(_fits, row)) for row in rows):
        raise InputError(SCHEDULE, "must be rows of elapsed_s, latency_s and bound_s", _FIELD)
    table = np.array([[math.nan if value is None else value for value in row] for row in rows], dtype=np.float64)
    if np.isnan(table[:, 0]).any() or (np.diff(table[:, 0]) < 0).any():
        raise InputError(SCHEDULE, "times must not decrease", _FIELD)
    last = table[-1].copy()
    last[0] = max(last[0], _duration_s(document.provenance))
    time_s, latency_s, bound_s = np.vstack([table, last]).T
    return np.maximum(time_s, _EARLIEST_S), latency_s, bound_s


def _fits(value: object) -> bool:
    return value is None or _is_number(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _duration_s(provenance: Mapping[str, object]) -> float:
    spans = [provenance.get("build_s"), provenance.get("solve_s")]
    return sum((float(span) for span in spans if _is_number(span)), 0.0)


def _draw_values(axes: Axes, time_s: FloatArray, latency_s: FloatArray, bound_s: FloatArray) -> None:
    axes.step(time_s, latency_s, where="post", marker=".", label="incumbent")
    if not np.isnan(bound_s).all():
        axes.step(time_s, bound_s, where="post", marker=".", color=MARK, label="bound")
        axes.fill_between(time_s, bound_s, latency_s, step="post", color="0.92", linewidth=0)
    axes.set_ylabel("round latency, s")
    axes.grid()
    axes.legend(loc="best")


def _draw_gap(
    axes: Axes, document: ScheduleDocument, time_s: FloatArray, latency_s: FloatArray, bound_s: FloatArray
) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        percent = 100 * np.maximum(latency_s - bound_s, 0.0) / latency_s
    axes.step(time_s, np.maximum(percent, _LEAST_PERCENT), where="post", marker=".", color="#009E73")
    axes.set_yscale("log")
    asked = document.provenance.get("rel_gap")
    if isinstance(asked, float) and asked > 0:
        axes.axhline(100 * asked, color="0.3", linewidth=0.8, linestyle=(0, (4, 2)), label=f"asked: {100 * asked:g} %")
        axes.legend(loc="best")
    axes.set_ylabel("gap, %")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid()


def _label_time(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("time, s")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
