"""Figures of the study `dynamics`, drawn from its tables alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import Interval
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.dynamics.cells import CHANGES, CONTROLLED, EQUAL, KEPT, SUBCHANNELS, TITLES
from epsl_opt.studies.dynamics.resolving import PERIODS, ROUNDS
from epsl_opt.studies.dynamics.robust_findings import METHODS
from epsl_opt.studies.shared.rows import interval_of, select

LINES = {
    ("exact", CONTROLLED): ("#000000", "-", "o"),
    ("exact", EQUAL): ("#CC79A7", ":", "s"),
    ("bcd", CONTROLLED): ("#0072B2", "-.", "D"),
    ("greedy", CONTROLLED): ("#E69F00", "--", "v"),
}
"""Solver, powers -> colour, line style, marker. Powers kept as scheduled leave the scale; they are in the table."""

TICKS = (1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100)


def staleness_picture(table: Table) -> Picture:
    """Draw latencies over the age of the schedule."""
    with styled():
        figure, panels = _panels(table)
        for (clients, change), axes in panels.items():
            for solver, power in LINES:
                rows = select(table.rows, clients=clients, change=change, solver=solver, power=power)
                _line(axes, rows, "ratio", f"{solver}, powers {power}", (solver, power))
        _finish(figure, panels, "latency over that under an\noptimal schedule in every round")
    ends = "; ".join(
        f"{TITLES[change]}, {clients} clients: "
        + ", ".join(f"{power} {_end(table, clients, change, power):.3g}" for power in (CONTROLLED, EQUAL, KEPT))
        for clients, change in panels
    )
    caption = (
        "Mean latency of a round against the number of rounds for which a schedule is used, over that with an optimal "
        f"schedule in every round ({_draws(table)}; bands: 95 % confidence intervals of exact with powers "
        "controlled anew, which may leave the frame). Logarithmic. Powers kept as scheduled are off the scale: see the "
        "numbers."
    )
    alt = f"Latency ratios over age. Exact, one schedule for all rounds, by where powers come from: {ends}."
    return Picture("staleness", caption, alt, figure, table)


def net_picture(table: Table) -> Picture:
    """Draw latency with the time for solving over the age of the schedule."""
    with styled():
        figure, panels = _panels(table)
        for (clients, change), axes in panels.items():
            for solver, power in LINES:
                if power == CONTROLLED:
                    rows = select(table.rows, clients=clients, change=change, solver=solver)
                    _line(axes, rows, "net", solver, (solver, power))
        _finish(figure, panels, "latency and solving, over latency under\nan optimal schedule in every round")
    best = "; ".join(f"{TITLES[change]}, {C} clients: K = {_best(table, C, change)}" for C, change in panels)
    caption = (
        "Time of a round, solving and power control counted in, against the number of rounds for which a schedule is "
        f"used ({_draws(table)}; bands: 95 % confidence intervals of exact, which may leave the frame). Logarithmic. "
        "Solving times are measured and differ between machines."
    )
    return Picture("worth", caption, f"Lines over age for three solvers; exact is least at: {best}.", figure, table)


def robust_picture(table: Table) -> Picture:
    """Draw mean and tail of the latency under schedules decided once."""
    powers = list(dict.fromkeys(str(row["power"]) for row in table.rows))
    with styled():
        figure = new_figure(8.0, 2.8)
        panels: list[Axes] = list(figure.subplots(1, len(powers), sharey=True, squeeze=False)[0])
        for axes, power in zip(panels, powers, strict=True):
            for n, quantity in enumerate(("mean", "90th percentile")):
                rows = {row["method"]: row for row in select(table.rows, power=power, quantity=quantity)}
                shown = {at: interval_of(rows[name], "ratio") for at, name in enumerate(METHODS) if name in rows}
                _points(axes, shown, 0.2 * (n - 0.5), f"C{n}", "os"[n], quantity)
            axes.axvline(1, color="0.2", linewidth=0.8)
            axes.set_yticks(range(len(METHODS)), METHODS)
            axes.set_title(f"powers {power}")
            axes.set_xlabel("latency over that of a new optimal\nschedule in every round")
            axes.grid(axis="x")
            axes.set_xscale("log")
            _frame(axes, [float(row["ratio"] or 1) for row in table.rows], "x")
        panels[0].invert_yaxis()
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    values = "; ".join(f"{row['method']}, powers {row['power']}, {row['quantity']}: {_text(row)}" for row in table.rows)
    caption = (
        "Latency on fresh rounds with Rayleigh fading under an allocation and a cut layer decided once: for one round, "
        "for the mean gains (nominal), for gains exceeded in nine rounds of ten (cautious), for the expected latency "
        f"or its 90th percentile over sampled rounds; over that decided anew in every round ({_draws(table)}, 95 % "
        "confidence intervals, which may leave the frame). Logarithmic."
    )
    return Picture("robust", caption, f"Points with intervals right of 1: {values}.", figure, table)


def _panels(table: Table) -> tuple[Figure, dict[tuple[int, str], Axes]]:
    cells = [cell for cell in product(SUBCHANNELS, CHANGES) if select(table.rows, clients=cell[0], change=cell[1])]
    rows = len({clients for clients, _ in cells})
    figure = new_figure(8.0, 2.2 * rows + 0.8)
    grid = figure.subplots(rows, -(-len(cells) // rows), squeeze=False, sharex=True, sharey=True)
    return figure, dict(zip(cells, grid.flat, strict=False))


def _line(axes: Axes, rows: Sequence[Row], column: str, label: str, look: tuple[str, str]) -> None:
    intervals = [interval_of(row, column) for row in sorted(rows, key=lambda row: int(row["every"] or 0))]
    mean, low, high = (np.array([getattr(each, end) for each in intervals]) for end in ("mean", "low", "high"))
    colour, style, marker = LINES[look]
    axes.plot(mean, color=colour, linestyle=style, marker=marker, markersize=3.5, linewidth=1.2, label=label)
    if look == ("exact", CONTROLLED):
        known = np.isfinite(low) & np.isfinite(high)
        axes.fill_between(np.arange(len(mean)), low, high, where=known, color=colour, alpha=0.13, linewidth=0)


def _points(axes: Axes, shown: Mapping[int, Interval], shift: float, colour: str, marker: str, label: str) -> None:
    """Draw estimates with their intervals, as far as these are finite."""
    for at, found in shown.items():
        if math.isfinite(found.low) and math.isfinite(found.high):
            axes.plot([found.low, found.high], [at + shift] * 2, color=colour, linewidth=1.2)
    axes.plot([found.mean for found in shown.values()], [at + shift for at in shown], marker, color=colour, label=label)


def _finish(figure: Figure, panels: Mapping[tuple[int, str], Axes], label: str) -> None:
    lines = [line for axes in panels.values() for line in axes.get_lines()]
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in lines]).tolist()
    for (clients, change), axes in panels.items():
        axes.set_title(f"{TITLES[change]}, {clients} clients", fontsize=9)
        axes.grid(axis="y")
        axes.set_xticks(range(len(PERIODS)), ["once" if every == ROUNDS else f"{every}" for every in PERIODS])
        axes.set_yscale("log")
        _frame(axes, values, "y")
        if clients == list(panels)[-1][0]:
            axes.set_xlabel("rounds per schedule, K")
    figure.supylabel(label, fontsize=9)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=2 if len(lines) > len(panels) * 3 else 3
    )


def _frame(axes: Axes, values: Sequence[float], which: str) -> None:
    """Show these values, which wide intervals may leave, on a logarithmic axis with ticks that can be read."""
    low, high = min(*values, 1.0) / 1.06, max(*values, 1.2) * 1.1
    axes.set(**{f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axis.set_ticks(ticks if high < 200 else [10.0**n for n in range(math.ceil(math.log10(high)))])
    axis.set_ticks([], minor=True)
    axis.set_major_formatter("{x:g}")


def _draws(table: Table) -> str:
    counts = sorted({int(row["draws"] or 0) for row in table.rows})
    return f"{counts[0]} cells" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} cells"


def _text(row: Row) -> str:
    return f"{float(row['ratio'] or 0):.3g}"


def _end(table: Table, clients: int, change: str, power: str) -> float:
    rows = select(table.rows, clients=clients, change=change, solver="exact", power=power, every=ROUNDS)
    return float(rows[0]["ratio"] or 0)


def _best(table: Table, clients: int, change: str) -> int:
    rows = select(table.rows, clients=clients, change=change, solver="exact")
    return int(min(rows, key=lambda row: float(row["net"] or 0))["every"] or 0)
