"""From alike clients to very different ones: the straggler, every solver's gap, and EPSL's lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import ClassVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.results import SolveResult
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Picture, Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.heterogeneity.findings import curve_rows, findings, level_rows
from epsl_opt.studies.heterogeneity.levels import (
    ALIKE,
    AS_PUBLISHED,
    KINDS,
    LEVELS,
    QUICK_LEVELS,
    TITLES,
    source,
    spreads,
    straggler_shares,
)
from epsl_opt.studies.shared import framework_rounds
from epsl_opt.studies.shared.figures import picture
from epsl_opt.studies.shared.framework_rounds import OTHERS
from epsl_opt.studies.shared.panels import Lines, Panel, line_panels
from epsl_opt.studies.shared.rows import IndexedRows, ends, interval_of, number, select, whole
from epsl_opt.studies.shared.scenario import CHANNELS
from epsl_opt.studies.shared.solver_runs import PAPER, floor_s, schedule_of, solve_all, solve_with, solver_row

SEEDS = {StudySize.QUICK: 4, StudySize.FULL: 30}


class HeterogeneityStudy(Study):
    """All solvers and four frameworks while clients become less and less alike."""

    name: ClassVar[str] = "heterogeneity"
    title: ClassVar[str] = "Heterogeneity: from alike clients to very different ones"
    question: ClassVar[str] = (
        "How does EPSL fare when channels and processors differ widely: what does the straggler cost, how far from the "
        "optimum are the solvers, and what becomes of EPSL's lead over PSL, SFL and vanilla SL?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return one point per kind of heterogeneity, level, channel and seed; all kinds begin at the same level 0."""
        levels = QUICK_LEVELS if size is StudySize.QUICK else LEVELS
        settings = [(KINDS[0], ALIKE), *product(KINDS, [level for level in levels if level > ALIKE])]
        settings.append((AS_PUBLISHED, ALIKE))
        return [
            {"kind": kind, "level": level, "fading": fading, "seed": seed}
            for (kind, level), fading, seed in product(settings, CHANNELS, range(SEEDS[size]))
        ]

    def run(self, point: Point) -> Sequence[Row]:
        """Return a row per solver, with what waiting costs in its round, and a row per framework."""
        seed = whole(point, "seed")
        instance = load_instance(source(str(point["kind"]), number(point, "level"), str(point["fading"]), seed))
        results = solve_all(instance, seed)
        return [*_solver_rows(instance, results), *_framework_rows(instance, results, seed)]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare levels on the same draws."""
        rows = IndexedRows(rows)
        curves = curve_rows(rows)
        return Section(
            setting=[
                f"The paper's scenario (5 clients, 20 subchannels), {SEEDS[size]} draws of each setting on flat "
                "channels and as many with Rayleigh fading; draws with one seed share all random numbers.",
                "Level 0: all clients at the disc's mean distance, without line of sight and shadowing, with "
                "processors of 1.3 Gcycles/s. Channels: distances spread to the whole disc up to level 1, shadowing "
                "is the level times the model's 9.7 dB. Processors: uniform around 1.3 Gcycles/s, at most 0.6 times "
                "the level away; the paper's range is level 0.5. `paper` is the paper's own draw, where line of sight "
                "differs as well.",
                "Straggler share: what the round would lose if the last client of each phase were as quick as the "
                "median one. Waiting share: what the other clients spend waiting, on average. Both as shares of the "
                "round.",
                "Gaps are to the largest bound proved. " + framework_rounds.SETTING,
                "Intervals are 95 % confidence intervals over draws, paired by seed.",
            ],
            findings=list(findings(rows)),
            pictures=list(_pictures(curves, SEEDS[size])),
            tables=[
                Table.of(
                    "levels",
                    "Means at every level, geometric ones of latency and leads: spread of gains in dB, fastest over "
                    "slowest processor, the optimal round and what waiting takes of it, gaps, and rounds over EPSL's.",
                    level_rows(curves),
                ),
            ],
            limits=[
                "Processors spread around the same mean clock, so the slowest becomes slower: the longer round is not "
                "the work of inequality alone, but of slow clients. With channels alike but for shadowing the mean "
                "loss in dB stays; the mean gain does not.",
                "Power control lets clients finish together wherever it can, so a small waiting share does not mean "
                "that a weak client costs nothing: the others have given up their power for it.",
                framework_rounds.LIMIT,
                "Only latency is looked at; what unequal data do to accuracy is another study's question.",
            ],
        )


def _solver_rows(instance: Instance, results: Mapping[str, SolveResult]) -> Iterator[Row]:
    bound_s, unequal = floor_s(results), spreads(instance)
    for result in results.values():
        shares = {} if result.latency is None else straggler_shares(result.latency)
        yield {
            **solver_row(result, bound_s),
            "framework": "EPSL",
            "straggler_share": None,
            "waiting_share": None,
            **shares,
            **unequal,
        }


def _framework_rows(instance: Instance, results: Mapping[str, SolveResult], seed: int) -> Iterator[Row]:
    def plan(wanted: Instance) -> Schedule:
        return schedule_of(results["exact"] if wanted is instance else solve_with(wanted, "exact", seed))

    for framework, latency_s in framework_rounds.framework_rounds_s(instance, plan).items():
        bound = {"bound_s": floor_s(results)} if framework == "EPSL" else {}
        yield {"solver": "frameworks", "framework": framework, "latency_s": latency_s, **bound}


SHORT = {"none": "flat", "rayleigh": "Rayleigh"}
LABELS = {"none": "", "rayleigh": "level of heterogeneity"}
WAITING_BANDS = ("exact", "bcd", "baseline-c")
PICTURES = {
    "latency": (
        "Round latency (geometric mean) against the level of heterogeneity; the band is that of the optimum",
        "latency_s",
        Lines("mean", ("exact", "bcd", "greedy", "baseline-a", "baseline-c"), ("exact",), "round latency, s", log=True),
    ),
    "waiting": (
        "How long clients wait for the last one, on average over clients and as a share of the round",
        "waiting_share",
        Lines("mean", ("exact", "bcd", "greedy", "baseline-c"), WAITING_BANDS, "waiting, % of round", 100.0),
    ),
    "gap": (
        "Gap to the certified floor (mean); bands of bcd and greedy",
        "gap",
        Lines("mean", ("bcd", "greedy", "baseline-c", "convex", "local-search"), PAPER, "gap, %", 100.0),
    ),
    "lead": (
        "Round latency of PSL, SFL and vanilla SL over EPSL's (geometric mean), resources managed for each",
        "lead",
        Lines("mean", OTHERS, OTHERS, "round over EPSL's", log=True),
    ),
}
"""Name -> caption, quantity among the curves, and its lines."""


def _pictures(curves: Sequence[Row], seeds: int) -> Iterator[Picture]:
    """Yield one figure per quantity: a column of panels per kind of heterogeneity, a row per kind of channel."""
    for name, (caption, quantity, lines) in PICTURES.items():
        shown = [row for row in select(curves, quantity=quantity) if row["name"] in lines.names]
        with styled():
            panels = [
                Panel(f"{TITLES[kind]}, {short}", select(shown, fading=fading, kind=kind), lines, LABELS[fading])
                for fading, short in SHORT.items()
                for kind in KINDS
            ]
            figure, _ = line_panels(2, panels, "level", log_x=False)
        flat = select(shown, fading="none", kind="both")
        told = ", ".join(f"{each} {_ends(lines, select(flat, name=each))}" for each in lines.names)
        alt = f"Six panels: {lines.label}. Flat channels, both differ: {told}."
        yield picture(name, f"{caption}; {seeds} draws a level, bands are 95 % intervals.", alt, figure, shown)


def _ends(lines: Lines, rows: Sequence[Row]) -> str:
    return " to ".join(f"{lines.scale * interval_of(row, lines.column).mean:.3g}" for row in ends(rows))
