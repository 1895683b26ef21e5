"""Figures of the scale study: the round and EPSL's lead by cell; time, memory and gap by solver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.scale.sizes import CELLS, SHARED, SOLVERS
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.framework_rounds import FRAMEWORKS, OTHERS
from epsl_opt.studies.shared.rows import interval_of, select
from epsl_opt.studies.shared.small_multiples import draw_lines, frame_lines, legend_below, log_x, panels

BANDS = {"time_s": SOLVERS, "peak_mib": SOLVERS, "gap": ("bcd", "local-search")}


def pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield the figures of each kind of channel that was run."""
    yield _frameworks([row for row in curves if row["name"] in FRAMEWORKS], seeds)
    for fading in sorted({str(row["fading"]) for row in curves}):
        yield _solvers([row for row in curves if row["name"] in SOLVERS and row["fading"] == fading], fading, seeds)


def _frameworks(curves: Sequence[Row], seeds: int) -> Picture:
    with styled():
        titles = [f"{what}, {cell} cell" for what in ("round", "lead") for cell in CELLS]
        figure, axes = panels(2, titles, share_y="row")
        for each, (quantity, cell) in zip(
            axes, [(q, cell) for q in ("latency_s", "lead") for cell in CELLS], strict=True
        ):
            names, bands = (FRAMEWORKS, ("EPSL",)) if quantity == "latency_s" else (OTHERS, OTHERS)
            _draw(each, select(curves, quantity=quantity, cell=cell), names, bands)
        frame_lines(axes[:2], log=True)
        frame_lines(axes[2:], log=True)
        axes[0].set_ylabel("round latency, s")
        axes[2].set_ylabel("round over EPSL's")
        legend_below(figure, axes[0])
    caption = (
        f"Round latency of the frameworks, and of PSL, SFL and vanilla SL over EPSL's, against the number of clients, "
        f"flat channels: geometric means over {seeds} draws, both axes logarithmic; bands are 95 % intervals."
    )
    alt = f"Four panels of lines against 5 to hundreds of clients. EPSL: {_said(curves, 'EPSL', 'latency_s', ' s')}."
    return _picture("frameworks", caption, alt, figure, curves)


def _solvers(curves: Sequence[Row], fading: str, seeds: int) -> Picture:
    quantities = {"time_s": "time, s", "peak_mib": "peak memory, MiB", "gap": "gap, %"}
    with styled():
        figure, axes = panels(1, ["time", "peak memory", "gap"], share_y=False, height_in=2.6)
        for each, (quantity, label) in zip(axes, quantities.items(), strict=True):
            scale = 100.0 if quantity == "gap" else 1.0
            _draw(each, select(curves, quantity=quantity), SOLVERS, BANDS[quantity], scale)
            frame_lines([each], log=quantity == "time_s")
            each.set_ylabel(label)
        legend_below(figure, axes[0])
    caption = (
        f"What solvers take and how near they come in a {SHARED} cell, {CHANNELS[fading]}: means over {seeds} draws "
        "(2 of 1000 clients) with 95 % intervals, geometric but for the gap, which is to the best bound any solver "
        "proved. exact was stopped after 30 s. Memory is the whole process's."
    )
    alt = "Three panels of lines against the number of clients. " + "; ".join(
        f"{solver} {_said(curves, solver, 'time_s', ' s')}" for solver in SOLVERS
    )
    return _picture(f"solvers-{fading}", caption, alt, figure, curves)


def _draw(axes: Axes, curves: Sequence[Row], names: Sequence[str], bands: Sequence[str], scale: float = 1.0) -> None:
    x = sorted({float(row["clients"] or 0) for row in curves})
    for name in names:
        line = select(curves, name=name)
        places = [float(row["clients"] or 0) for row in line]
        draw_lines(axes, places, {name: [interval_of(row, "mean") for row in line]}, bands, scale)
    log_x(axes, x)
    axes.set_xlabel("clients")


def _picture(name: str, caption: str, alt: str, figure: Figure, shown: Sequence[Row]) -> Picture:
    columns = tuple(shown[0]) if shown else ("quantity",)
    return Picture(name, caption, alt, figure, Table(name, "What the figure shows.", columns, shown))


def _said(shown: Sequence[Row], name: str, quantity: str, unit: str) -> str:
    line = [row for row in select(shown, name=name, quantity=quantity) if row["cell"] == SHARED]
    ends = [f"{interval_of(row, 'mean').mean:.3g}{unit} at {row['clients']}" for row in (*line[:1], *line[1:][-1:])]
    return " to ".join(ends)
