"""From 5 to 200 clients, and to 1000 for the heuristics: latency, time, memory, gap, and EPSL's lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import ClassVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Picture, Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.plots.style import styled
from epsl_opt.solving.solve import solve
from epsl_opt.studies.scale.findings import curve_rows, exponent_rows, fadings_of, findings
from epsl_opt.studies.scale.measuring import measure
from epsl_opt.studies.scale.sizes import (
    CELLS,
    CLIENTS,
    HEURISTIC_LIMITS,
    LIMITS,
    SEEDS,
    SHARED,
    SOLVERS,
    points,
    source,
)
from epsl_opt.studies.shared import framework_rounds
from epsl_opt.studies.shared.figures import picture
from epsl_opt.studies.shared.framework_rounds import FRAMEWORKS, OTHERS
from epsl_opt.studies.shared.panels import Lines, Panel, line_panels
from epsl_opt.studies.shared.rows import IndexedRows, ends, number, select, whole
from epsl_opt.studies.shared.scenario import CHANNELS
from epsl_opt.studies.shared.solver_runs import schedule_of


class ScaleStudy(Study):
    """Solvers and frameworks as the cell fills."""

    name: ClassVar[str] = "scale"
    title: ClassVar[str] = "Scale: from 5 clients to hundreds"
    question: ClassVar[str] = (
        "How do EPSL's round latency, its lead over PSL, SFL and vanilla SL, and the work of resource management grow "
        "with the number of clients?"
    )
    measures_time: ClassVar[bool] = True

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return one point per solver and instance, and per cell of the frameworks, the largest first."""
        return list(points(size))

    def run(self, point: Point) -> Sequence[Row]:
        """Return what a solver found and took in a process of its own, or every framework's round latency."""
        solver = str(point["solver"])
        where = source(str(point["cell"]), whole(point, "clients"), str(point["fading"]), whole(point, "seed"))
        if point["what"] == "frameworks":
            return _framework_rows(load_instance(where), solver)
        limits = LIMITS if solver == "exact" else HEURISTIC_LIMITS
        found = measure(where, solver, limits)
        return [{"framework": "EPSL"} | asdict(found) | {"added_mib": found.added_mib}]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Fit exponents, and compare sizes on the same draws."""
        rows = IndexedRows(rows)
        return Section(
            setting=[
                f"The paper's scenario with {min(CLIENTS[size])} to {max(CLIENTS[size])} clients and four subchannels "
                f"each, {SEEDS[size]} draws of each size"
                + (" (2 of 1000 clients, heuristics only)." if size is StudySize.FULL else ", flat channels only."),
                "Two kinds of cell: " + "; ".join(f"{name}, where {what}" for name, what in CELLS.items()) + ".",
                "Each solver runs in a process of its own on one thread, after a small instance, so that imports do "
                "not count. Time is build and solve; runs under 0.5 s are repeated, their median counts. Memory is the "
                "process's peak; a solver's own is what it adds to what the process held before. exact has 30 s to "
                "prove a gap of 1e-3; gaps are to the best bound any solver proved.",
                framework_rounds.SETTING + " Schedules are local-search's.",
                "Growth exponents: slopes of straight lines through all draws on log-log, with 95 % confidence "
                "intervals.",
            ],
            findings=list(findings(rows)),
            pictures=list(_pictures(curve_rows(rows), SEEDS[size])),
            tables=[Table.of("exponents", "How latency, time and memory grow with the clients.", exponent_rows(rows))],
            limits=[
                "Times hold for this machine, and runs side by side share its memory bandwidth.",
                "An exponent sums up a curve that need not be straight: start-up costs flatten its lower end. Times "
                "are fitted from 10 clients on.",
                "Four subchannels a client: with a fixed number of subchannels many clients would get none.",
                "A shared cell of hundreds of clients is a stress test, not a plan for a cell.",
                framework_rounds.LIMIT,
            ],
        )


def _framework_rows(instance: Instance, solver: str) -> list[Row]:
    def plan(wanted: Instance) -> Schedule:
        return schedule_of(solve(wanted, solver, HEURISTIC_LIMITS))

    found = framework_rounds.framework_rounds_s(instance, plan)
    return [{"framework": framework, "latency_s": latency_s} for framework, latency_s in found.items()]


ROUNDS = {
    "latency_s": ("round", Lines("mean", FRAMEWORKS, ("EPSL",), "round latency, s", log=True)),
    "lead": ("lead", Lines("mean", OTHERS, OTHERS, "round over EPSL's", log=True)),
}
WORK = {
    "time_s": ("time", Lines("mean", SOLVERS, SOLVERS, "time, s", log=True)),
    "peak_mib": ("peak memory", Lines("mean", SOLVERS, SOLVERS, "peak memory, MiB")),
    "gap": ("gap", Lines("mean", SOLVERS, ("bcd", "local-search"), "gap, %", 100.0)),
}
"""Quantity -> title of its panels, and its lines."""


def _pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield the round and EPSL's lead by cell; then time, memory and gap by solver, for each kind of channel."""
    yield _frameworks([row for row in curves if row["name"] in FRAMEWORKS], seeds)
    for fading in fadings_of(curves):
        yield _solvers([row for row in select(curves, fading=fading) if row["name"] in SOLVERS], fading, seeds)


def _frameworks(curves: Sequence[Row], seeds: int) -> Picture:
    with styled():
        panels = [
            Panel(f"{what}, {cell} cell", select(curves, quantity=quantity, cell=cell), lines, "clients")
            for quantity, (what, lines) in ROUNDS.items()
            for cell in CELLS
        ]
        figure, _ = line_panels(2, panels, "clients", log_x=True, share_y="row")
    caption = (
        f"Round latency of the frameworks, and of PSL, SFL and vanilla SL over EPSL's, against the number of clients, "
        f"flat channels: geometric means over {seeds} draws, both axes logarithmic; bands are 95 % intervals."
    )
    alt = f"Four panels of lines against 5 to hundreds of clients. EPSL: {_said(curves, 'EPSL', 'latency_s')}."
    return picture("frameworks", caption, alt, figure, curves)


def _solvers(curves: Sequence[Row], fading: str, seeds: int) -> Picture:
    with styled():
        panels = [
            Panel(title, select(curves, quantity=quantity), lines, "clients")
            for quantity, (title, lines) in WORK.items()
        ]
        figure, _ = line_panels(1, panels, "clients", log_x=True, share_y=False, height_in=2.6)
    caption = (
        f"What solvers take and how near they come in a {SHARED} cell, {CHANNELS[fading]}: means over {seeds} draws "
        "(2 of 1000 clients) with 95 % intervals, geometric but for the gap, which is to the best bound any solver "
        "proved. exact was stopped after 30 s. Memory is the whole process's."
    )
    said = "; ".join(f"{solver} {_said(curves, solver, 'time_s')}" for solver in SOLVERS)
    alt = f"Three panels of lines against the number of clients. {said}"
    return picture(f"solvers-{fading}", caption, alt, figure, curves)


def _said(shown: Sequence[Row], name: str, quantity: str) -> str:
    line = select(shown, name=name, quantity=quantity, cell=SHARED)
    return " to ".join(f"{number(row, 'mean'):.3g} s at {row['clients']}" for row in ends(line))
