"""Figures of the resource study: latency and gap against every resource, one figure per kind of channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import Interval
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.resource_management.curves import FLOOR
from epsl_opt.studies.resource_management.parameters import PARAMETERS, Parameter
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.rows import interval_of, select
from epsl_opt.studies.shared.small_multiples import draw_lines, frame_lines, legend_below, log_x, panels
from epsl_opt.studies.shared.solver_runs import BASELINES, PAPER

LATENCY_SOLVERS = ("exact", *PAPER, *BASELINES)
GAP_SOLVERS = (*PAPER, "baseline-c", "convex", "local-search")


def pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield the figures of each kind of channel that there are runs for."""
    for fading in CHANNELS:
        shown = select(curves, fading=fading)
        if any(row["draws"] for row in shown):
            yield _latency(shown, fading, seeds)
            yield _gap(shown, fading, seeds)


def _latency(curves: Sequence[Row], fading: str, seeds: int) -> Picture:
    with styled():
        figure, axes = _grid(curves, LATENCY_SOLVERS, "latency_s", 1.0, ("exact",))
        frame_lines(axes, log=True)
        _finish(figure, axes, "round latency, s")
    caption = (
        f"Round latency against one resource at a time, {CHANNELS[fading]}: geometric means over {seeds} draws; the "
        "band is the 95 % interval of exact, the certified optimum; draws differ more than solvers do. "
        "local-search and convex, in the numbers, would lie on it. Dotted uprights: the paper's setting."
    )
    said = _said(curves, LATENCY_SOLVERS, "latency_s", 1.0, " s")
    alt = f"Six panels, latency against a resource, {CHANNELS[fading]}. At the paper's setting: {said}"
    return Picture(f"latency-{fading}", caption, alt, figure, _numbers(f"latency-{fading}", curves, "latency_s"))


def _gap(curves: Sequence[Row], fading: str, seeds: int) -> Picture:
    with styled():
        figure, axes = _grid(curves, GAP_SOLVERS, "gap", 100.0, PAPER)
        frame_lines(axes, log=False)
        _finish(figure, axes, "gap, %")
    caption = (
        f"Gap to the certified floor, {CHANNELS[fading]}: means over {seeds} draws; bands are 95 % intervals of bcd "
        "and greedy. Dotted uprights: the paper's setting."
    )
    said = _said(curves, GAP_SOLVERS, "gap", 100.0, " %")
    alt = f"Six panels, gap against a resource, {CHANNELS[fading]}. At the paper's setting: {said}"
    return Picture(f"gap-{fading}", caption, alt, figure, _numbers(f"gap-{fading}", curves, "gap"))


def _grid(
    curves: Sequence[Row], solvers: Sequence[str], column: str, scale: float, bands: Sequence[str]
) -> tuple[Figure, list[Axes]]:
    figure, axes = panels(2, [parameter.title for parameter in PARAMETERS])
    for each, parameter in zip(axes, PARAMETERS, strict=True):
        x = [float(row["value"] or 0) for row in select(curves, parameter=parameter.name, solver=FLOOR)]
        draw_lines(each, x, {s: _line(curves, parameter, s, column) for s in solvers}, bands, scale)
        log_x(each, x)
        each.set_xlabel(parameter.axis)
        each.axvline(parameter.paper, color="0.6", linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    return figure, axes


def _finish(figure: Figure, axes: Sequence[Axes], label: str) -> None:
    for each in axes[::3]:
        each.set_ylabel(label)
    legend_below(figure, axes[0])


def _line(curves: Sequence[Row], parameter: Parameter, solver: str, column: str) -> list[Interval]:
    return [interval_of(row, column) for row in select(curves, parameter=parameter.name, solver=solver)]


def _numbers(name: str, curves: Sequence[Row], column: str) -> Table:
    keys = ("fading", "parameter", "value", "solver", "draws")
    kept = tuple(key for key in curves[0] if key in keys or column in key)
    return Table(name, "What the figure shows.", kept, curves)


def _said(curves: Sequence[Row], solvers: Sequence[str], column: str, scale: float, unit: str) -> str:
    published = PARAMETERS[0]
    found = {
        solver: interval_of(row, column).mean
        for solver in solvers
        for row in select(curves, parameter=published.name, value=published.paper, solver=solver)
    }
    return ", ".join(f"{solver} {scale * value:.3g}{unit}" for solver, value in found.items()) + "."
