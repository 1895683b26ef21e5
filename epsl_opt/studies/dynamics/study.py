"""The study `dynamics`: its points, and what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import ClassVar

from epsl_opt.plugins.study import Point, Row, Section, Study, StudySize
from epsl_opt.studies.dynamics.cells import CHANGES, REL_GAP, SUBCHANNELS
from epsl_opt.studies.dynamics.pictures import net_picture, robust_picture, staleness_picture
from epsl_opt.studies.dynamics.resolving import ROUNDS, resolving_rows
from epsl_opt.studies.dynamics.resolving_findings import resolving_findings, staleness, worth
from epsl_opt.studies.dynamics.robust import FRESH, SAMPLED, robust_rows
from epsl_opt.studies.dynamics.robust_findings import robust_findings, robustness
from epsl_opt.studies.shared.rows import whole
from epsl_opt.studies.shared.solver_runs import EXACT_NODES

SEEDS = {StudySize.QUICK: {5: 3, 20: 2}, StudySize.FULL: {5: 40, 20: 24}}
"""Seeds by the clients of a cell."""

ROBUST_CLIENTS = 5


class DynamicsStudy(Study):
    """Cells whose channel changes from round to round, under schedules of any age and under robust ones."""

    name: ClassVar[str] = "dynamics"
    title: ClassVar[str] = "Dynamics: how long a schedule stays good"
    question: ClassVar[str] = (
        "What is it worth to schedule anew when channels change from round to round, the time for solving counted in, "
        "and how good can a schedule be that is decided once?"
    )
    measures_time: ClassVar[bool] = True

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return cells and how they change, then the cells for robust schedules."""
        seeds = SEEDS[size]
        resolving: list[Point] = [
            {"part": "resolving", "clients": clients, "change": change, "seed": seed}
            for clients, change in product(SUBCHANNELS, CHANGES)
            for seed in range(seeds[clients])
        ]
        robust: list[Point] = [
            {"part": "robust", "clients": ROBUST_CLIENTS, "change": "fading", "seed": seed}
            for seed in range(seeds[ROBUST_CLIENTS])
        ]
        return [*resolving, *robust]

    def run(self, point: Point) -> Sequence[Row]:
        """Return latencies by solver, period and powers, or by method and powers."""
        clients, change, seed = whole(point, "clients"), str(point["change"]), whole(point, "seed")
        if point["part"] == "robust":
            return robust_rows(clients, seed)
        return resolving_rows(clients, change, seed)

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare periods, solvers and methods on the same cells."""
        latency, net, robust = list(staleness(rows)), list(worth(rows)), list(robustness(rows))
        return Section(
            setting=_setting(SEEDS[size]),
            findings=[*resolving_findings(rows), *robust_findings(rows)],
            pictures=[
                *([staleness_picture(latency), net_picture(net)] if latency else []),
                *([robust_picture(robust)] if robust else []),
            ],
            limits=LIMITS,
        )


LIMITS = (
    "The channel of a round is known when it begins, at no cost, and stays as it is until the round ends. In truth, "
    "measuring and reporting it takes time, and at these speeds it changes within a round.",
    "The round waits while a schedule is made. Where it can be made while the round before still runs, it costs no "
    "time, but is a round old.",
    "Solving times are those of this machine, on one thread. The break-even times do not depend on it: they say how "
    "long solving may take before it no longer pays.",
    "A new allocation is handed out for free: telling the clients is not counted.",
    "Powers as scheduled are the least that end the uplink together, so any fade makes a new straggler. Equal powers "
    "have no such edge and know no channel.",
    "Under Rayleigh fading, the mean latency of a client with a single subchannel is infinite; what is seen of it "
    "depends on the worst of the rounds drawn. The 90th percentile does not.",
    "How fast shadowing and sight change along the way is a model of urban micro cells, and so is the way.",
)


def _setting(seeds: dict[int, int]) -> list[str]:
    cells = " and ".join(f"{seeds[C]} cells of {C} clients and {M} subchannels" for C, M in SUBCHANNELS.items())
    return [
        f"The paper's scenario, {cells}, each for {ROUNDS} rounds; ResNet-18, 64 samples a client, phi = 0.5.",
        "Fading: clients stand still, Rayleigh fading is fresh in every round. Walking and driving: Gauss-Markov "
        "motion at 1.4 and 14 m/s on average, rounds 5 s apart, no small-scale fading; path loss, shadowing "
        "(correlated over 13 m) and sight of the server (over 50 m) follow the way.",
        f"A schedule is made every K rounds by exact (gap {REL_GAP:g}, at most {EXACT_NODES} nodes), bcd or greedy; "
        "its allocation and cut layer are used until the next. Powers are kept as scheduled, or are equal and know no "
        "channel, or are controlled anew in every round, exactly.",
        "Solvers see the same rounds of the same cells; ratios are geometric means over cells of mean latencies over "
        "rounds, with 95 % confidence intervals.",
        f"Robust schedules: allocation and cut layer decided once from {SAMPLED} sampled rounds, judged on {FRESH} "
        f"fresh ones, in the cells of {ROBUST_CLIENTS} clients. Powers are controlled anew in every round, or equal.",
    ]
