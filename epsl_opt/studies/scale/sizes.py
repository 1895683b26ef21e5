"""How cells of many clients are made, and what is run at which size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

from epsl_opt.core.results import Limits
from epsl_opt.plugins.study import Point, StudySize
from epsl_opt.studies.shared.scenario import paper

BAND_HZ = 200e6
PAPER_CLIENTS = 5
SUBCHANNELS_PER_CLIENT = 4

SHARED, GROWN = "shared", "grown"
CELLS = {
    SHARED: "the paper's 200 MHz, 5 W and server are shared by all",
    GROWN: "band, total power and server grow with the clients",
}

SOLVERS = ("greedy", "bcd", "convex", "local-search", "exact")
HUGE = 1000
HUGE_SOLVERS = ("greedy", "bcd", "local-search")

CLIENTS = {StudySize.QUICK: (5, 10, 20, 50), StudySize.FULL: (5, 10, 20, 50, 100, 200, HUGE)}
SEEDS = {StudySize.QUICK: 3, StudySize.FULL: 10}
HUGE_SEEDS = 2
FLAT = "none"
FADINGS = {StudySize.QUICK: (FLAT,), StudySize.FULL: (FLAT, "rayleigh")}

LIMITS = Limits(time_s=30.0, rel_gap=1e-3, threads=1)
HEURISTIC_LIMITS = Limits(time_s=600.0, rel_gap=1e-3, threads=1)
"""exact is given 30 s to prove a gap of 1e-3; the others run to their end."""


def source(cell: str, clients: int, fading: str, seed: int) -> str:
    """Return the instance, as `load_instance` reads it; every client brings four subchannels."""
    growth = clients / PAPER_CLIENTS if cell == GROWN else 1.0
    subchannels = SUBCHANNELS_PER_CLIENT * clients
    return paper(
        clients=clients,
        subchannels=subchannels,
        bandwidth_hz=BAND_HZ * growth / subchannels,
        total_power_dbm=36.99 + 10 * math.log10(growth),
        server_cycles_per_s=5e9 * growth,
        fading=fading,
        seed=seed,
    )


def points(size: StudySize) -> Iterator[Point]:
    """Yield the points: each solver on the shared cell, and the frameworks on both kinds of cell, on flat channels.

    The largest come first, so that no long run is left to the end.
    """
    for clients in sorted(CLIENTS[size], reverse=True):
        for seed, fading in product(range(HUGE_SEEDS if clients == HUGE else SEEDS[size]), FADINGS[size]):
            place: Point = {"clients": clients, "fading": fading, "seed": seed}
            for solver in HUGE_SOLVERS if clients == HUGE else SOLVERS:
                yield {"what": "solver", "cell": SHARED, "solver": solver, **place}
            for cell in CELLS if clients != HUGE and fading == FLAT else ():
                yield {"what": "frameworks", "cell": cell, "solver": "local-search", **place}
