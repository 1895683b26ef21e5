"""Figures of the study `dynamics`, drawn from its rows alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.plugins.study import Cell, Picture, Row
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.dynamics.cells import CHANGES, CONTROLLED, EQUAL, KEPT, SUBCHANNELS, TITLES
from epsl_opt.studies.dynamics.resolving import PERIODS, ROUNDS
from epsl_opt.studies.dynamics.robust_findings import METHODS
from epsl_opt.studies.shared.figures import Look, draw_dots, draw_rows, grid, legend_below, picture
from epsl_opt.studies.shared.rows import distinct, number, select, whole

LINES = {
    ("exact", CONTROLLED): Look("#000000", "-", "o"),
    ("exact", EQUAL): Look("#CC79A7", ":", "s"),
    ("bcd", CONTROLLED): Look("#0072B2", "-.", "D"),
    ("greedy", CONTROLLED): Look("#E69F00", "--", "v"),
}
"""Solver, powers -> look. Powers kept as scheduled leave the scale; they are in the table."""

TICKS = (1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100)


def staleness_picture(rows: Sequence[Row]) -> Picture:
    """Draw latencies over the age of the schedule."""
    lines = {f"{solver}, powers {power}": {"solver": solver, "power": power} for solver, power in LINES}
    figure, cells = _over_age(rows, "ratio", lines, "latency over that under an\noptimal schedule in every round")
    once = {where: select(rows, **cell, solver="exact", every=ROUNDS) for where, cell in cells.items()}
    ends = {
        where: ", ".join(f"{power} {_ratio(select(of, power=power)[0])}" for power in (CONTROLLED, EQUAL, KEPT))
        for where, of in once.items()
    }
    caption = (
        "Mean latency of a round against the number of rounds for which a schedule is used, over that with an optimal "
        f"schedule in every round ({_draws(rows)}; bands: 95 % confidence intervals of exact with powers "
        "controlled anew, which may leave the frame). Logarithmic. Powers kept as scheduled are off the scale: see the "
        "numbers."
    )
    said = "; ".join(f"{where}: {told}" for where, told in ends.items())
    alt = f"Latency ratios over age. Exact, one schedule for all rounds, by where powers come from: {said}."
    return picture("staleness", caption, alt, figure, rows)


def net_picture(rows: Sequence[Row]) -> Picture:
    """Draw latency with the time for solving over the age of the schedule."""
    lines = {solver: {"solver": solver} for solver, power in LINES if power == CONTROLLED}
    label = "latency and solving, over latency under\nan optimal schedule in every round"
    figure, cells = _over_age(rows, "net", lines, label)
    exact = {where: select(rows, **cell, solver="exact") for where, cell in cells.items()}
    best = {where: min(of, key=lambda row: number(row, "net"))["every"] for where, of in exact.items()}
    caption = (
        "Time of a round, solving and power control counted in, against the number of rounds for which a schedule is "
        f"used ({_draws(rows)}; bands: 95 % confidence intervals of exact, which may leave the frame). Logarithmic. "
        "Solving times are measured and differ between machines."
    )
    said = "; ".join(f"{where}: K = {every}" for where, every in best.items())
    return picture("worth", caption, f"Lines over age for three solvers; exact is least at: {said}.", figure, rows)


def robust_picture(rows: Sequence[Row]) -> Picture:
    """Draw mean and tail of the latency under schedules decided once."""
    powers = distinct(rows, "power")
    with styled():
        figure, (panels,) = grid(1, len(powers), 8.0, 2.8, share_y="all")
        for axes, power in zip(panels, powers, strict=True):
            draw_dots(axes, METHODS, select(rows, power=power), "ratio", "method", "quantity", ends=None)
            axes.axvline(1, color="0.2", linewidth=0.8)
            axes.set(title=f"powers {power}", xlabel="latency over that of a new optimal\nschedule in every round")
            axes.set_xscale("log")
            _frame(axes, [number(row, "ratio") or 1.0 for row in rows], "x")
        legend_below(figure, panels[0], 2)
    said = "; ".join(f"{row['method']}, powers {row['power']}, {row['quantity']}: {_ratio(row)}" for row in rows)
    caption = (
        "Latency on fresh rounds with Rayleigh fading under an allocation and a cut layer decided once: for one round, "
        "for the mean gains (nominal), for gains exceeded in nine rounds of ten (cautious), for the expected latency "
        f"or its 90th percentile over sampled rounds; over that decided anew in every round ({_draws(rows)}, 95 % "
        "confidence intervals, which may leave the frame). Logarithmic."
    )
    return picture("robust", caption, f"Points with intervals right of 1: {said}.", figure, rows)


Cells = Mapping[str, Mapping[str, Cell]]
"""Title -> which rows."""


def _over_age(rows: Sequence[Row], column: str, lines: Cells, label: str) -> tuple[Figure, Cells]:
    """Return a panel of these lines per cell that was run, and these cells; the first line, exact's, has a band."""
    every = product(SUBCHANNELS, CHANGES)
    cells: Cells = {f"{TITLES[change]}, {C} clients": {"clients": C, "change": change} for C, change in every}
    cells = {where: cell for where, cell in cells.items() if select(rows, **cell)}
    n_rows = len({cell["clients"] for cell in cells.values()})
    with styled():
        figure, grid_ = grid(n_rows, -(-len(cells) // n_rows), 8.0, 2.2 * n_rows + 0.8, share_x=True, share_y="all")
        panels = [axes for line in grid_ for axes in line][: len(cells)]
        for axes, cell in zip(panels, cells.values(), strict=True):
            for n, (name, wanted) in enumerate(lines.items()):
                look = LINES[str(wanted["solver"]), str(wanted.get("power", CONTROLLED))]
                draw_rows(axes, select(rows, **cell, **wanted), None, column, look, name, band=n == 0)
        values = [y for axes in panels for line in axes.get_lines() for y in np.asarray(line.get_ydata(), dtype=float)]
        for axes, where in zip(panels, cells, strict=True):
            axes.set_title(where, fontsize=9)
            axes.grid(axis="y")
            axes.set_xticks(range(len(PERIODS)), ["once" if every == ROUNDS else f"{every}" for every in PERIODS])
            axes.set_yscale("log")
            _frame(axes, values, "y")
        for axes in grid_[-1]:
            axes.set_xlabel("rounds per schedule, K")
        figure.supylabel(label, fontsize=9)
        legend_below(figure, panels[0], 2 if len(lines) > 3 else 3)
    return figure, cells


def _frame(axes: Axes, values: Sequence[float], which: str) -> None:
    """Show these values, which wide intervals may leave, on a logarithmic axis with ticks that can be read."""
    low, high = min(*values, 1.0) / 1.06, max(*values, 1.2) * 1.1
    axes.set(**{f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axis.set_ticks(ticks if high < 200 else [10.0**n for n in range(math.ceil(math.log10(high)))])
    axis.set_ticks([], minor=True)
    axis.set_major_formatter("{x:g}")


def _draws(rows: Sequence[Row]) -> str:
    counts = sorted({whole(row, "draws") for row in rows})
    return f"{counts[0]} cells" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} cells"


def _ratio(row: Row) -> str:
    return f"{number(row, 'ratio'):.3g}"
