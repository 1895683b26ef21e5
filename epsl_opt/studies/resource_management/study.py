"""Round latency of every solver against each resource, with the certified optimum as the floor."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, ClassVar

from epsl_opt.plugins.study import Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.studies.resource_management.curves import curve_rows
from epsl_opt.studies.resource_management.findings import elasticity_rows, findings
from epsl_opt.studies.resource_management.parameters import AS_PUBLISHED, PARAMETERS, source
from epsl_opt.studies.resource_management.pictures import pictures
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.rows import IndexedRows
from epsl_opt.studies.shared.solver_runs import LEFT_OUT, floor_s, solve_all, solver_row

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

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return the latency of every solver and its gap to the best bound."""
        value, seed = point["value"], int(point["seed"] or 0)
        where = source(str(point["parameter"]), None if value is None else float(value), str(point["fading"]), seed)
        results = solve_all(load_instance(where), seed)
        bound_s = floor_s(results)
        return [solver_row(result, bound_s) for result in results.values()]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare solvers on the same draws, over all settings and at each."""
        rows = IndexedRows(rows)
        curves = curve_rows(rows)
        elasticities = list(elasticity_rows(rows))
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
            pictures=list(pictures(curves, SEEDS[size])),
            tables=[
                Table(
                    "elasticities",
                    "By how many per cent the optimal round grows when a resource grows by one per cent, over the "
                    "whole range: slopes on log-log per draw, their mean and interval.",
                    tuple(elasticities[0]) if elasticities else ("parameter",),
                    elasticities,
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
