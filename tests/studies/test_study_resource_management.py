"""The study of resource management: its settings, its verdicts on made-up rows, and one real point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from epsl_opt import Instance, load_instance
from epsl_opt.plugins.study import Finding, Row, StudySize, Verdict
from epsl_opt.studies.resource_management import ResourceManagementStudy
from epsl_opt.studies.resource_management.findings import elasticity_rows, findings
from epsl_opt.studies.resource_management.parameters import AS_PUBLISHED, BY_NAME, PARAMETERS, source
from epsl_opt.studies.shared.rows import IndexedRows
from epsl_opt.studies.shared.solver_runs import BASELINES, SOLVERS

STUDY = ResourceManagementStudy()

OF: dict[str, Callable[[Instance], float]] = {
    "bandwidth": lambda instance: instance.bandwidth_hz.sum() / 1e6,
    "subchannels": lambda instance: instance.n_subchannels,
    "power": lambda instance: instance.server.total_uplink_power_w,
    "server-compute": lambda instance: instance.server.cycles_per_s / 1e9,
    "client-compute": lambda instance: instance.client_flops_per_s.max() / PAPER.client_flops_per_s.max(),
    "clients": lambda instance: instance.n_clients,
}
PAPER = load_instance(source(AS_PUBLISHED, None, "none", 2))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_setting_changes_its_own_resource_only(name: str) -> None:
    """An instance has the value asked for of one resource, and the paper's of all others."""
    for value in BY_NAME[name].values:
        instance = load_instance(source(name, value, "none", 2))
        for other, amount in OF.items():
            if name == "clients" and other == "client-compute":
                continue  # more clients, more draws
            wanted = value if other == name else BY_NAME[other].paper
            assert amount(instance) == pytest.approx(wanted, rel=1e-3)


def test_the_values_include_the_papers() -> None:
    """Every curve, quick or full, passes through the paper's own setting."""
    assert all(each.paper in each.values and each.paper in each.quick for each in PARAMETERS)


def _rows(bcd: float, baseline: float, gap: float = 0.0) -> list[Row]:
    """Make up rows: `bcd` and `baseline` are latencies over the optimum's, `gap` is that of every bound."""
    made = []
    for point in STUDY.points(StudySize.QUICK):
        random = np.random.default_rng([int(point["seed"] or 0), 7])
        optimum_s = 2.0 * random.uniform(0.8, 1.2)
        for solver in SOLVERS:
            factor = {"bcd": bcd, "greedy": bcd} | dict.fromkeys(BASELINES, baseline)
            latency_s = optimum_s * factor.get(solver, 1.0) * random.uniform(1.0, 1.0001)
            bound_s = optimum_s * (1 - gap)
            row = {"solver": solver, "latency_s": latency_s, "bound_s": bound_s, "gap": 1 - bound_s / latency_s}
            made.append({**point, **row, "used_share": 1.0})
    return made


def _verdicts(rows: list[Row], of: str) -> set[Verdict]:
    found = [finding for finding in findings(IndexedRows(rows)) if of in finding.claim]
    assert found
    return {finding.verdict for finding in found}


def test_verdicts_follow_the_rows() -> None:
    """The claims against the baselines and about the distance hold when the rows say so, and fail when they don't."""
    for bcd, baseline, shorter, near in (
        (1.001, 2.0, Verdict.HOLDS, Verdict.HOLDS),
        (1.3, 1.1, Verdict.FAILS, Verdict.FAILS),
    ):
        rows = _rows(bcd, baseline)
        assert _verdicts(rows, "shortens the round") == {shorter}
        assert _verdicts(rows, "bcd is within") == {near}
        assert _verdicts(rows, "local-search is within") == {Verdict.HOLDS}


def test_a_weak_bound_leaves_nearness_open() -> None:
    """Where only the bound is far, nothing is said about the distance to the optimum."""
    assert _verdicts(_rows(1.0, 2.0, gap=0.2), "is within") == {Verdict.OPEN}


def test_the_worst_setting_is_named() -> None:
    """The setting with the largest mean gap is the one told."""
    rows = [
        row | {"gap": 0.4} if (row["parameter"], row["value"], row["solver"]) == ("power", 0.5, "bcd") else row
        for row in _rows(1.01, 2.0)
    ]
    told = [finding for finding in findings(IndexedRows(rows)) if "where bcd is farthest" in finding.claim]
    assert all("power = 0.5" in finding.evidence for finding in told)


def test_elasticities_are_the_planted_ones() -> None:
    """Latencies that fall like a power of one resource have that power as its elasticity, and 0 as the others'."""
    rows = [
        {**row, "latency_s": 3.0 * (float(row["value"] or 0) / 200) ** -0.5 if row["parameter"] == "bandwidth" else 3.0}
        for row in _rows(1.0, 2.0)
    ]
    for found in elasticity_rows(rows):
        assert found["exponent"] == pytest.approx(-0.5 if found["parameter"] == "bandwidth" else 0.0, abs=1e-9)


def test_missing_points_are_survived() -> None:
    """Conclusions are drawn from what there is: without a channel, a seed or a solver's schedules."""
    kept = [row for row in _rows(1.1, 2.0) if row["fading"] == "none" and row["seed"] != 1]
    kept = [{**row, "latency_s": None, "gap": None} if row["solver"] == "baseline-d" else row for row in kept]
    section = STUDY.conclude(kept, StudySize.QUICK)
    verdict = {finding.claim: finding.verdict for finding in section.findings}
    assert verdict["the paper's algorithm (bcd) shortens the round against baseline-a (flat channels)"] is Verdict.HOLDS
    assert verdict["the paper's algorithm (bcd) shortens the round against baseline-d (flat channels)"] is Verdict.OPEN
    assert {picture.name for picture in section.pictures} == {"latency-none", "gap-none"}


def test_tables_and_pictures_are_complete() -> None:
    """Every row of every table and figure has all its columns, and every figure its numbers and its words."""
    section = STUDY.conclude(_rows(1.1, 2.0), StudySize.QUICK)
    for table in [*section.tables, *(picture.numbers for picture in section.pictures)]:
        assert table.rows
        assert all(set(table.columns) <= set(row) for row in table.rows)
    assert all("bcd" in picture.alt and picture.caption for picture in section.pictures)
    assert all(isinstance(finding, Finding) and finding.evidence for finding in section.findings)


def test_a_point_gives_the_same_rows_again() -> None:
    """A point of the study gives a row per solver, the same when run again, none below the floor."""
    point: dict[str, Any] = {"parameter": "clients", "value": 2, "fading": "none", "seed": 1}
    first, second = (list(STUDY.run(point)) for _ in range(2))
    assert first == second
    assert [row["solver"] for row in first] == list(SOLVERS)
    assert all(row["latency_s"] >= row["bound_s"] * (1 - 1e-9) for row in first)
    best = min(row["latency_s"] for row in first)
    assert next(row["latency_s"] for row in first if row["solver"] == "exact") <= best * (1 + 2e-4)
