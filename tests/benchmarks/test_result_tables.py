"""The tables of `docs/results.md` say what the runs say, and the page has a place for each of them."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from statistics import median
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt.campaigns.engines import ThisProcess
from epsl_opt.campaigns.ranking import RunRow, summarise
from epsl_opt.plugins import registry
from epsl_opt.plugins.study import Verdict
from epsl_opt.report.study_files import FindingRecord, PictureRecord, SectionDocument

SOLVERS = {"sharp": "exact", "quick": "heuristic", "dull": "baseline", "dim": "baseline"}


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """The module beside the script."""
    return import_module("benchmarks.result_tables")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script itself."""
    return import_module("benchmarks.results")


def row(instance: int, solver: str, latency_s: float | None) -> RunRow:
    """A run of an instance whose best bound is 1 s."""
    return RunRow(
        instance=f"i{instance}",
        solver=solver,
        kind=SOLVERS[solver],
        status="none" if latency_s is None else "verified",
        stop_reason="unsupported" if latency_s is None else "completed",
        latency_s=latency_s,
        bound_s=None,
        gap=None,
        best_bound_s=1.0,
        best_bound_gap=None if latency_s is None else (latency_s - 1) / latency_s,
        cut_layer=None,
        build_s=0.25,
        solve_s=0.5,
        overrun_s=0.0,
        seed=0,
        message="",
        instance_sha256=f"{instance:064x}",
    )


latencies = st.none() | st.floats(1, 100).map(lambda x: round(x, 3))
campaigns = (
    st.integers(1, 5)
    .flatmap(lambda n: st.lists(st.lists(latencies, min_size=4, max_size=4), min_size=n, max_size=n))
    .map(lambda m: [row(i, s, t) for i, line in enumerate(m) for s, t in zip(SOLVERS, line, strict=True)])
)


def cells(table: str) -> dict[str, list[str]]:
    """First cell of each row of a Markdown table -> the others."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {line[0].strip("`"): line[1:] for line in lines}


@given(rows=campaigns)
def test_matrix_has_every_latency(tables: ModuleType, rows: list[RunRow]) -> None:
    """Each cell is its run's latency, bold if it is the least of its row, a dash where there is none."""
    table = cells(tables.matrix_table(rows, tables.latency_s, 3, mark_least=True))
    for number, line in table.items():
        own = {r.solver: r.latency_s for r in rows if r.instance == number}
        known = [value for value in own.values() if value is not None]
        expected = ["-" if own[s] is None else f"{own[s]:.3f}" for s in ("sharp", "quick", "dim", "dull")]
        least = f"{min(known):.3f}" if known else ""
        assert line == [f"**{text}**" if text == least else text for text in expected]


@given(rows=campaigns)
def test_summary_agrees_with_the_ranking(tables: ModuleType, rows: list[RunRow]) -> None:
    """Verified runs, wins and the median latency of each solver are those that `compare` reports."""
    table = cells(tables.summary_table(rows))
    expected = {
        line.solver: [str(line.verified), str(line.wins), f"{line.median_latency_s:.4f}"]
        for line in summarise(rows)
        if line.verified
    }
    assert {solver: line[:3] for solver, line in table.items()} == expected


@given(rows=campaigns)
def test_every_end_is_counted_once(tables: ModuleType, rows: list[RunRow]) -> None:
    """The ways in which a solver's runs ended add up to its runs."""
    for line in cells(tables.status_table(rows)).values():
        assert int(line[0]) == sum(map(int, line[1:5]))


@given(rows=campaigns)
def test_beaten_counts_are_head_to_head(tables: ModuleType, rows: list[RunRow]) -> None:
    """Each pair counts instances better than a baseline's run of the same instance, and than its median."""
    latency = {(r.solver, r.instance): r.latency_s for r in rows if r.latency_s is not None}
    for solver, line in cells(tables.beaten_table(rows)).items():
        own = {i: t for (s, i), t in latency.items() if s == solver}
        for baseline, cell in zip(("dim", "dull"), line, strict=False):
            other = {i: t for (s, i), t in latency.items() if s == baseline}
            middle = median(other.values()) if other else 0
            same = sum(t < other[i] for i, t in own.items() if i in other)
            assert cell == f"{same} / {sum(t < middle for t in own.values())}"
        both = [(t, latency.get(("dim", i)), latency.get(("dull", i))) for i, t in own.items()]
        better = [t < median(filter(None, pair)) for t, *pair in both if any(pair)]
        assert int(line[2]) == sum(better)


def test_a_lost_run_is_not_hidden(tables: ModuleType) -> None:
    """A rejected run counts as rejected and has no latency."""
    rows = [row(0, "sharp", 2.0), replace(row(0, "quick", None), status="rejected", stop_reason="error")]
    assert cells(tables.status_table(rows))["quick"][1:5] == ["0", "0", "0", "1"]
    assert cells(tables.matrix_table(rows, tables.latency_s, 3))["i0"] == ["2.000", "-"]


def test_the_page_has_a_place_for_every_part(script: ModuleType) -> None:
    """The markers of `docs/results.md` are exactly the parts that the three scripts write."""
    text = script.DOCUMENT.read_text(encoding="utf-8")
    settings = script.Settings(quick=True, time_limit_s=1.0, gap=1e-4, seeds=1, runs=Path(), engine=ThisProcess())
    training = import_module("benchmarks.training_results")
    trained = training.markers(training.settings(mnist=Path(), quick=False))
    studied = import_module("benchmarks.study_results").markers()
    assert re.findall(r"<!-- table: (\S+) -->", text) == [*script.parts(settings), *trained, *studied]


def test_every_study_has_a_headline(script: ModuleType) -> None:
    """The page tells of exactly the studies that the project registers, and every picture in it is there."""
    assert set(import_module("benchmarks.study_results").HEADLINES) == set(registry.names(registry.STUDIES))
    text = script.DOCUMENT.read_text(encoding="utf-8")
    linked = re.findall(r"\]\((pictures/[^)]+)\)", text)
    assert linked
    assert [name for name in linked if not (script.DOCUMENT.parent / name).exists()] == []


def test_a_study_is_told_whole(script: ModuleType, tmp_path: Path) -> None:
    """A study's part shows its question, its figure and all its findings, and the overview counts their verdicts."""
    studies = import_module("benchmarks.study_results")
    name, picture = next(iter(studies.HEADLINES.items()))
    findings = [
        FindingRecord(claim=f"claim {n}", verdict=v.value, evidence=f"seen {n} times") for n, v in enumerate(Verdict)
    ]
    section = SectionDocument(
        study=name,
        title="A study: of two parts",
        question="Does it?",
        size="full",
        measures_time=False,
        planned=3,
        finished=3,
        failures=(),
        setting=(),
        findings=tuple(findings),
        pictures=(PictureRecord(name=picture, caption="Lines.", alt="Lines that rise."),),
        tables=(),
        limits=(),
        made_with={},
    )
    text = studies.study_part(section)
    told = cells(text[text.index("| claim") : text.index("</details>")].strip())
    assert told == {finding.claim: [f"**{finding.verdict}**", finding.evidence] for finding in findings}
    assert "*Does it?*" in text
    assert f"![Lines that rise.](pictures/study-{name}.png)" in text
    overview = cells(studies.overview({name: section}, tmp_path))
    assert overview == {f"[{name}](#a-study-of-two-parts)": ["3", "0.0", *["1"] * len(Verdict)]}
