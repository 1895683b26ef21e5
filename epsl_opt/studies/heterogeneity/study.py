"""From alike clients to very different ones: the straggler, every solver's gap, and EPSL's lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, ClassVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.results import SolveResult
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.studies.heterogeneity.curves import LEVEL_COLUMNS, curve_rows, level_rows
from epsl_opt.studies.heterogeneity.findings import findings
from epsl_opt.studies.heterogeneity.levels import ALIKE, AS_PUBLISHED, KINDS, LEVELS, QUICK_LEVELS, source
from epsl_opt.studies.heterogeneity.pictures import pictures
from epsl_opt.studies.heterogeneity.straggler import spreads, straggler_shares
from epsl_opt.studies.shared import framework_rounds
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.rows import IndexedRows
from epsl_opt.studies.shared.solver_runs import floor_s, solve_all, solve_with, solver_row

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

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return a row per solver, with what waiting costs in its round, and a row per framework."""
        level, seed = float(point["level"] or 0), int(point["seed"] or 0)
        instance = load_instance(source(str(point["kind"]), level, str(point["fading"]), seed))
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
            pictures=list(pictures(curves, SEEDS[size])),
            tables=[
                Table(
                    "levels",
                    "Means at every level, geometric ones of latency and leads: spread of gains in dB, fastest over "
                    "slowest processor, the optimal round and what waiting takes of it, gaps, and rounds over EPSL's.",
                    ("kind", "level", "fading", *LEVEL_COLUMNS, "draws"),
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


def _solver_rows(instance: Instance, results: dict[str, SolveResult]) -> Iterator[dict[str, Any]]:
    bound_s, unequal = floor_s(results), spreads(instance)
    for result in results.values():
        shares = {} if result.latency is None else straggler_shares(result.latency)
        yield (
            solver_row(result, bound_s)
            | {"framework": "EPSL", "straggler_share": None, "waiting_share": None}
            | (shares | unequal)
        )


def _framework_rows(instance: Instance, results: dict[str, SolveResult], seed: int) -> Iterator[dict[str, Any]]:
    optimum, bound_s = results["exact"], floor_s(results)

    def plan(wanted: Instance) -> Schedule:
        result = optimum if wanted is instance else solve_with(wanted, "exact", seed)
        if result.schedule is None:
            raise RuntimeError(f"exact found no schedule: {result.message}")
        return result.schedule

    for framework, latency_s in framework_rounds.framework_rounds_s(instance, plan).items():
        bound = {"bound_s": bound_s} if framework == "EPSL" else {}
        yield {"solver": "frameworks", "framework": framework, "latency_s": latency_s} | bound
