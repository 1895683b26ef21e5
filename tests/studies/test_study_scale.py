"""The study of scale: its cells, its measurements, its verdicts on made-up rows, and real points."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engine_toys import command_line

from epsl_opt import Limits, load_instance, solve
from epsl_opt.campaigns.engines import LOCAL, Done, Task, open_engine, run_tasks
from epsl_opt.plugins.study import Row, StudySize, Verdict
from epsl_opt.studies.scale import ScaleStudy
from epsl_opt.studies.scale.findings import exponent_rows, findings
from epsl_opt.studies.scale.measuring import measure, measure_here
from epsl_opt.studies.scale.sizes import CELLS, GROWN, HUGE, HUGE_SOLVERS, SHARED, SOLVERS, source
from epsl_opt.studies.shared.framework_rounds import FRAMEWORKS
from epsl_opt.studies.shared.rows import IndexedRows

STUDY = ScaleStudy()
SLOW_SOLVE = """
from epsl_opt import Limits
from epsl_opt.studies.scale.measuring import measure
from epsl_opt.studies.scale.sizes import source
if __name__ == "__main__":
    measure(source("shared", 200, "none", 0), "exact", Limits(time_s=600.0))
"""


@pytest.mark.parametrize("clients", [5, 50])
def test_cells_share_or_grow(clients: int) -> None:
    """In a shared cell band, power and server stay the paper's; in a grown one, each client's part of them does."""
    paper = load_instance("paper")
    for cell, growth in ((SHARED, 1.0), (GROWN, clients / 5)):
        instance = load_instance(source(cell, clients, "none", 1))
        assert (instance.n_clients, instance.n_subchannels) == (clients, 4 * clients)
        assert instance.bandwidth_hz.sum() == pytest.approx(growth * paper.bandwidth_hz.sum())
        assert instance.server_flops_per_s == pytest.approx(growth * paper.server_flops_per_s)
        power_w = growth * paper.server.total_uplink_power_w
        assert instance.server.total_uplink_power_w == pytest.approx(power_w)


def test_only_quick_heuristics_go_to_the_largest_size() -> None:
    """The full study covers 5 to 200 clients with every solver and both cells, and the largest size with heuristics."""
    points = STUDY.points(StudySize.FULL)
    sizes = {int(point["clients"] or 0) for point in points}
    assert {5, 200, 1000} <= sizes
    for clients in sizes:
        of = {point["solver"] for point in points if (point["clients"], point["what"]) == (clients, "solver")}
        assert of == set(HUGE_SOLVERS if clients == HUGE else SOLVERS)
        cells = {point["cell"] for point in points if (point["clients"], point["what"]) == (clients, "frameworks")}
        assert cells == (set() if clients == HUGE else set(CELLS))


def test_another_process_finds_the_same() -> None:
    """A measured run has the latency of the same run here, a time, and (where told) memory of its own process."""
    where, limits = source(SHARED, 6, "none", 3), Limits(time_s=60.0, rel_gap=1e-3, threads=1)
    found = measure(where, "greedy", limits)
    assert found.latency_s == measure_here(where, "greedy", limits).latency_s
    assert found.latency_s == solve(load_instance(where), "greedy", limits).latency_s
    assert found.time_s > 0
    if Path("/proc/self/status").is_file():
        assert found.before_mib is not None
        assert found.peak_mib is not None
        assert 10 < found.before_mib <= found.peak_mib


def test_points_are_measured_by_the_engine_of_this_machine() -> None:
    """Processes of `--jobs` start the processes that are measured."""
    point = {"clients": 5, "fading": "none", "seed": 1, "cell": SHARED, "what": "solver", "solver": "greedy"}
    with open_engine(LOCAL, 2) as engine:
        ((_, outcome),) = run_tasks(STUDY.run, [Task("a", "a", point)], engine)
    assert isinstance(outcome, Done), outcome
    assert outcome.value[0]["latency_s"] == solve(load_instance(source(SHARED, 5, "none", 1)), "greedy").latency_s


def test_a_failed_run_is_told() -> None:
    """What goes wrong in the other process is raised here, naming solver and instance."""
    with pytest.raises(RuntimeError, match=r"no-such-solver on paper: InputError"):
        measure("paper", "no-such-solver", Limits())


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are listed in /proc")
def test_nothing_is_left_running() -> None:
    """When the process that measures is killed, the process it measures ends, too."""
    parent = subprocess.Popen([sys.executable, "-c", SLOW_SOLVE])
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    while not (born := [int(pid) for pid in children.read_text().split() if _is_measured(int(pid))]):
        assert parent.poll() is None
        time.sleep(0.05)
    time.sleep(1.0)  # until it watches its parent
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(600):
        if not _is_measured(born[0]):
            return
        time.sleep(0.05)
    pytest.fail(f"process {born[0]} outlived the one that started it")


def _is_measured(pid: int) -> bool:
    return b"worker import serve" in command_line(pid)


def _rows(lead: float, time: float = 1.7, gap: float = 0.001) -> list[Row]:
    """Make up rows: leads and times are powers of the number of clients, greedy is `gap` from the optimum."""
    made: list[Row] = []
    for point in STUDY.points(StudySize.QUICK):
        clients = float(point["clients"] or 0)
        noise = np.random.default_rng(int(point["seed"] or 0)).uniform(1, 1.0001)
        if point["what"] == "frameworks":
            for number, framework in enumerate(FRAMEWORKS):
                latency_s = 3 * clients**0.5 * (2 * noise * (clients / 5) ** lead if number else 1.0)
                made.append({**point, "framework": framework, "latency_s": latency_s})
        else:
            row = {"framework": "EPSL", "latency_s": 3 * (1 + gap * (point["solver"] == "greedy")), "bound_s": 2.999}
            work = {"time_s": 1e-4 * clients**time * noise, "peak_mib": 100.0 + clients, "added_mib": clients}
            made.append({**point, **row, **work, "before_mib": 100.0, "stop_reason": "completed"})
    return made


def _verdicts(rows: list[Row], of: str) -> set[Verdict]:
    return {finding.verdict for finding in findings(IndexedRows(rows)) if of in finding.claim}


def test_verdicts_follow_the_rows() -> None:
    """Leads that grow, shrink, or turn into a lag are told apart; so are schedules near the optimum and far from it."""
    growing, shrinking = _rows(0.3), _rows(-0.5, gap=0.5)
    assert _verdicts(growing, "lead over") == {Verdict.HOLDS}
    assert _verdicts(growing, "never longer") == {Verdict.HOLDS}
    assert _verdicts(growing, "greedy is within") == {Verdict.HOLDS}
    assert _verdicts(shrinking, "lead over") == {Verdict.FAILS}
    assert _verdicts(shrinking, "never longer") == {Verdict.FAILS}
    assert _verdicts(shrinking, "greedy is within") == {Verdict.FAILS}
    assert _verdicts(shrinking, "local-search is within") == {Verdict.HOLDS}


def test_exponents_are_the_planted_ones() -> None:
    """Fitted exponents are those the rows were made with."""
    planted = {"time_s": 1.7, "added_mib": 1.0}
    for row in exponent_rows(_rows(0.3)):
        wanted = planted.get(row["quantity"], 0.5 if row["name"] == "EPSL" else 0.8)
        assert row["exponent"] == pytest.approx(wanted, abs=1e-3)
        assert row["exponent_low"] <= row["exponent"] <= row["exponent_high"]


def test_runs_that_a_limit_ended_are_not_fitted() -> None:
    """Times cut off by the time limit do not flatten a solver's exponent."""
    rows = [
        {**row, "time_s": 0.1, "stop_reason": "time_limit"} if row["clients"] == 50 and row.get("time_s") else row
        for row in _rows(0.3, time=2.0)
    ]
    fitted = [row for row in exponent_rows(rows) if row["quantity"] == "time_s"]
    assert all(row["exponent"] is None and row["fitted_runs"] == 0 for row in fitted)


def test_tables_and_pictures_are_complete() -> None:
    """Every row of every table and figure has all its columns; missing runs and unknown memory are survived."""
    kept: list[Row] = [
        {**row, "peak_mib": None, "added_mib": None} if row.get("peak_mib") else row
        for row in _rows(0.3)
        if row["clients"] != 10
    ]
    for rows in (_rows(0.3), kept):
        section = STUDY.conclude(rows, StudySize.QUICK)
        for table in [*section.tables, *(picture.numbers for picture in section.pictures)]:
            assert table.rows
            assert all(set(table.columns) <= set(row) for row in table.rows)
        assert {picture.name for picture in section.pictures} == {"frameworks", "solvers-none"}


def test_points_give_the_same_rows_again() -> None:
    """Equal points give equal rows, measured times and memory apart."""
    small: dict[str, Any] = {"clients": 5, "fading": "none", "seed": 1, "cell": SHARED}
    frameworks = small | {"what": "frameworks", "solver": "local-search"}
    first, second = (list(STUDY.run(frameworks)) for _ in range(2))
    assert first == second
    assert [row["framework"] for row in first] == list(FRAMEWORKS)
    (row,) = STUDY.run(small | {"what": "solver", "solver": "greedy"})
    assert row["latency_s"] == solve(load_instance(source(SHARED, 5, "none", 1)), "greedy").latency_s
