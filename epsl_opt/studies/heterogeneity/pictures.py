"""Figures of the heterogeneity study: one column per kind of heterogeneity, one row per kind of channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.heterogeneity.levels import KINDS, TITLES
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.framework_rounds import OTHERS
from epsl_opt.studies.shared.rows import interval_of, select
from epsl_opt.studies.shared.small_multiples import draw_lines, frame_lines, legend_below, panels

SHORT = {"none": "flat", "rayleigh": "Rayleigh"}


@dataclass(frozen=True)
class _Plan:
    """One figure: the quantity, who is in it, and how it is told."""

    name: str
    quantity: str
    names: tuple[str, ...]
    bands: tuple[str, ...]
    label: str
    caption: str
    scale: float = 1.0
    log: bool = False


PLANS = (
    _Plan(
        name="latency",
        quantity="latency_s",
        names=("exact", "bcd", "greedy", "baseline-a", "baseline-c"),
        bands=("exact",),
        label="round latency, s",
        caption="Round latency (geometric mean) against the level of heterogeneity; the band is that of the optimum",
        log=True,
    ),
    _Plan(
        name="waiting",
        quantity="waiting_share",
        names=("exact", "bcd", "greedy", "baseline-c"),
        bands=("exact", "bcd", "baseline-c"),
        label="waiting, % of round",
        caption="How long clients wait for the last one, on average over clients and as a share of the round",
        scale=100.0,
    ),
    _Plan(
        name="gap",
        quantity="gap",
        names=("bcd", "greedy", "baseline-c", "convex", "local-search"),
        bands=("bcd", "greedy"),
        label="gap, %",
        caption="Gap to the certified floor (mean); bands of bcd and greedy",
        scale=100.0,
    ),
    _Plan(
        name="lead",
        quantity="lead",
        names=OTHERS,
        bands=OTHERS,
        label="round over EPSL's",
        caption="Round latency of PSL, SFL and vanilla SL over EPSL's (geometric mean), resources managed for each",
        log=True,
    ),
)


def pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield one figure per quantity."""
    for plan in PLANS:
        yield _picture(plan, select(curves, quantity=plan.quantity), seeds)


def _picture(plan: _Plan, curves: Sequence[Row], seeds: int) -> Picture:
    places = [(fading, kind) for fading in CHANNELS for kind in KINDS]
    with styled():
        figure, axes = panels(2, [f"{TITLES[kind]}, {SHORT[fading]}" for fading, kind in places])
        for each, (fading, kind) in zip(axes, places, strict=True):
            here = select(curves, fading=fading, kind=kind)
            x = sorted({float(row["level"] or 0) for row in here})
            lines = {name: [interval_of(row, "mean") for row in select(here, name=name)] for name in plan.names}
            draw_lines(each, x, lines, plan.bands, plan.scale)
            each.set_xticks(x, [f"{level:g}" for level in x])
        for each in axes[3:]:
            each.set_xlabel("level of heterogeneity")
        for each in axes[::3]:
            each.set_ylabel(plan.label)
        frame_lines(axes, log=plan.log)
        legend_below(figure, axes[0])
    shown = [row for row in curves if row["name"] in plan.names]
    caption = f"{plan.caption}; {seeds} draws a level, bands are 95 % intervals."
    numbers = Table(plan.name, "What the figure shows.", tuple(shown[0]), shown)
    return Picture(plan.name, caption, f"Six panels: {plan.label}. {_said(plan, shown)}", figure, numbers)


def _said(plan: _Plan, shown: Sequence[Row]) -> str:
    """Name the ends of the lines where both differ, on flat channels."""
    here = select(shown, fading="none", kind="both")
    told = ", ".join(f"{name} {' to '.join(_ends(plan, select(here, name=name)))}" for name in plan.names)
    return f"Flat channels, both differ: {told}."


def _ends(plan: _Plan, line: Sequence[Row]) -> list[str]:
    return [f"{plan.scale * interval_of(row, 'mean').mean:.3g}" for row in (*line[:1], *line[1:][-1:])]
