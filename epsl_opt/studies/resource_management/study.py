"""Round latency of every solver against each resource, with the certified optimum as the floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import ClassVar

from epsl_opt.plugins.study import Picture, Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.resource_management.findings import curve_rows, elasticity_rows, findings
from epsl_opt.studies.resource_management.parameters import AS_PUBLISHED, PARAMETERS, source
from epsl_opt.studies.shared.figures import picture
from epsl_opt.studies.shared.panels import Lines, Panel, line_panels
from epsl_opt.studies.shared.rows import IndexedRows, interval_of, number, select, whole
from epsl_opt.studies.shared.scenario import CHANNELS
from epsl_opt.studies.shared.solver_runs import BASELINES, LEFT_OUT, PAPER, floor_s, solve_all, solver_row

SEEDS = {StudySize.QUICK: 4, StudySize.FULL: 20}


class ResourceManagementStudy(Study):
    """All solvers and baselines while one resource at a time is varied around the paper's scenario."""

    name: ClassVar[str] = "resource-management"
    title: ClassVar[str] = "Resource management: every solver against every resource"
    question: ClassVar[str] = (
        "How much does joint optimisation shorten a round against the non-optimised baselines, and how far from the "
        "certified optimum does the paper's algorithm stay?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return one point per setting, channel and seed; the paper's own setting, which all curves share, once."""
        settings: list[tuple[str, float | None]] = [(AS_PUBLISHED, None)]
        for parameter in PARAMETERS:
            values = parameter.quick if size is StudySize.QUICK else parameter.values
            settings += [(parameter.name, value) for value in values if value != parameter.paper]
        return [
            {"parameter": parameter, "value": value, "fading": fading, "seed": seed}
            for (parameter, value), fading, seed in product(settings, CHANNELS, range(SEEDS[size]))
        ]

    def run(self, point: Point) -> Sequence[Row]:
        """Return the latency of every solver and its gap to the best bound."""
        value, seed = None if point["value"] is None else number(point, "value"), whole(point, "seed")
        where = source(str(point["parameter"]), value, str(point["fading"]), seed)
        results = solve_all(load_instance(where), seed)
        bound_s = floor_s(results)
        return [solver_row(result, bound_s) for result in results.values()]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare solvers on the same draws, over all settings and at each."""
        rows = IndexedRows(rows)
        return Section(
            setting=[
                "The paper's scenario (5 clients, 20 subchannels of 10 MHz, ResNet-18, 64 samples a client, phi = "
                f"0.5), one resource varied at a time; {SEEDS[size]} draws of each setting on flat channels and as "
                "many with Rayleigh fading. Draws with one seed share positions, processors and random cut layers.",
                "The number of subchannels is varied within 200 MHz, the number of clients with all else as it is; "
                "total power is the limit on the sum, each client's own limit of 1.5 W stays.",
                "exact stops at a gap of 1e-4 or after 1000 nodes; the floor is the largest bound proved on the draw, "
                "and a gap is (latency - floor) / latency. Left out: "
                + "; ".join(f"{name} {why}" for name, why in LEFT_OUT.items())
                + ".",
                "Latencies are geometric means over draws, gaps are arithmetic ones, with 95 % confidence intervals. "
                "Where settings are put together, each seed's mean over the settings counts as one value.",
            ],
            findings=list(findings(rows)),
            pictures=list(_pictures(curve_rows(rows), SEEDS[size])),
            tables=[
                Table.of(
                    "elasticities",
                    "By how many per cent the optimal round grows when a resource grows by one per cent, over the "
                    "whole range: slopes on log-log per draw, their mean and interval.",
                    list(elasticity_rows(rows)),
                )
            ],
            limits=[
                "The baselines' pairing is a reconstruction. Their random cut layer is a weak opponent: it is the same "
                "for a seed in all settings, and a few bad ones dominate the mean. baseline-c chooses its cut layer.",
                "A gap is an upper limit on the distance to the optimum: where exact was stopped by its node limit "
                "(most often 8 to 12 clients with Rayleigh fading), part of it is the bound's.",
                "The greedy allocation stops giving a client subchannels once its power limit is reached, as the "
                "paper's does; with ample total power that leaves subchannels free. Its tie-breaks are reconstructed.",
                "One resource at a time: what two do together is not looked at.",
            ],
        )


LATENCY = Lines("latency_s", ("exact", *PAPER, *BASELINES), ("exact",), "round latency, s", log=True, by="solver")
GAP = Lines("gap", (*PAPER, "baseline-c", "convex", "local-search"), PAPER, "gap, %", 100.0, by="solver")


def _pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield latency and gap against every resource, for each kind of channel that there are runs for."""
    for fading, channel in CHANNELS.items():
        shown = select(curves, fading=fading)
        if any(row["draws"] for row in shown):
            caption = (
                f"Round latency against one resource at a time, {channel}: geometric means over {seeds} draws; the "
                "band is the 95 % interval of exact, the certified optimum; draws differ more than solvers do. "
                "local-search and convex, in the numbers, would lie on it."
            )
            yield _picture(f"latency-{fading}", LATENCY, shown, caption, f"latency against a resource, {channel}", " s")
            caption = (
                f"Gap to the certified floor, {channel}: means over {seeds} draws; bands are 95 % intervals of bcd "
                "and greedy."
            )
            yield _picture(f"gap-{fading}", GAP, shown, caption, f"gap against a resource, {channel}", " %")


def _picture(name: str, lines: Lines, curves: Sequence[Row], caption: str, what: str, unit: str) -> Picture:
    with styled():
        panels = [Panel(p.title, select(curves, parameter=p.name), lines, p.axis) for p in PARAMETERS]
        figure, every = line_panels(2, panels, "value", log_x=True)
        for axes, parameter in zip(every, PARAMETERS, strict=True):
            axes.axvline(parameter.paper, color="0.6", linewidth=0.7, linestyle=(0, (2, 2)), zorder=0)
    published = select(curves, parameter=PARAMETERS[0].name, value=PARAMETERS[0].paper)
    means = {str(row["solver"]): lines.scale * interval_of(row, lines.column).mean for row in published}
    said = ", ".join(f"{solver} {means[solver]:.3g}{unit}" for solver in lines.names if solver in means)
    keys = ("fading", "parameter", "value", "solver", "draws")
    numbers = [{key: row[key] for key in row if key in keys or lines.column in key} for row in curves]
    caption += " Dotted uprights: the paper's setting."
    return picture(name, caption, f"Six panels, {what}. At the paper's setting: {said}.", figure, numbers)
