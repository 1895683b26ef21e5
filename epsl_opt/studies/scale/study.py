"""From 5 to 200 clients, and to 1000 for the heuristics: latency, time, memory, gap, and EPSL's lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.solve import solve
from epsl_opt.studies.scale.curves import EXPONENT_COLUMNS, curve_rows, exponent_rows
from epsl_opt.studies.scale.findings import findings
from epsl_opt.studies.scale.measuring import measure
from epsl_opt.studies.scale.pictures import pictures
from epsl_opt.studies.scale.sizes import CELLS, CLIENTS, HEURISTIC_LIMITS, LIMITS, SEEDS, points, source
from epsl_opt.studies.shared import framework_rounds
from epsl_opt.studies.shared.rows import IndexedRows


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

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return what a solver found and took in a process of its own, or every framework's round latency."""
        solver, seed = str(point["solver"]), int(point["seed"] or 0)
        where = source(str(point["cell"]), int(point["clients"] or 0), str(point["fading"]), seed)
        if point["what"] == "frameworks":
            return _framework_rows(load_instance(where), solver)
        limits = LIMITS if solver == "exact" else HEURISTIC_LIMITS
        found = measure(where, solver, limits)
        return [{"framework": "EPSL"} | asdict(found) | {"added_mib": found.added_mib}]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Fit exponents, and compare sizes on the same draws."""
        rows = IndexedRows(rows)
        curves = curve_rows(rows)
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
            pictures=list(pictures(curves, SEEDS[size])),
            tables=[
                Table(
                    "exponents",
                    "How latency, time and memory grow with the clients.",
                    EXPONENT_COLUMNS,
                    exponent_rows(rows),
                ),
            ],
            limits=[
                "Times hold for this machine, and runs side by side share its memory bandwidth.",
                "An exponent sums up a curve that need not be straight: start-up costs flatten its lower end. Times "
                "are fitted from 10 clients on.",
                "Four subchannels a client: with a fixed number of subchannels many clients would get none.",
                "A shared cell of hundreds of clients is a stress test, not a plan for a cell.",
                framework_rounds.LIMIT,
            ],
        )


def _framework_rows(instance: Instance, solver: str) -> list[dict[str, Any]]:
    def plan(wanted: Instance) -> Schedule:
        result = solve(wanted, solver, HEURISTIC_LIMITS)
        if result.schedule is None:
            raise RuntimeError(f"{solver} found no schedule: {result.message}")
        return result.schedule

    found = framework_rounds.framework_rounds_s(instance, plan)
    return [{"framework": framework, "latency_s": latency_s} for framework, latency_s in found.items()]
