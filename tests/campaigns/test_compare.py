"""The campaign: what is run, kept, reused, ranked."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_toys import (
    Broken,
    Cheat,
    Empty,
    Interrupted,
    Liar,
    Picky,
    Steady,
    Weak,
    register_toys,
    round_robin,
    small_instance,
)
from engine_toys import Dying

from epsl_opt import InputError, Limits, SolveMonitor, Solver, round_latency
from epsl_opt.campaigns.compare import Comparison, compare
from epsl_opt.campaigns.engines import LOCAL, open_engine
from epsl_opt.campaigns.ranking import rank, summarise

TWO = (small_instance("one"), small_instance("two", clients=2))


def solve_all(*solvers: Solver[Any], folder: Path | None = None, **options: Any) -> Comparison:
    """Compare toys on two instances."""
    return compare(TWO, solvers, folder=folder, **options)


@pytest.fixture(autouse=True)
def count_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test counts its own calls of the toy."""
    monkeypatch.setattr(Steady, "calls", 0)


def test_every_solver_runs_once_on_every_distinct_instance() -> None:
    """The runs are the product of distinct instances and distinct solvers."""
    comparison = compare([*TWO, TWO[0]], [Steady(), Weak(), Steady()])
    pairs = [(run.instance.name, run.solver) for run in comparison.documents]
    assert pairs == [("one", "steady"), ("one", "weak"), ("two", "steady"), ("two", "weak")]
    assert not comparison.interrupted


def test_finished_runs_are_not_run_again(tmp_path: Path) -> None:
    """A second campaign in the same folder reuses every run and gives the same documents."""
    first = solve_all(Steady(), Weak(), folder=tmp_path)
    assert (Steady.calls, first.reused) == (2, 0)
    second = solve_all(Steady(), Weak(), folder=tmp_path)
    assert (Steady.calls, second.reused) == (2, 4)
    assert second.documents == first.documents


@pytest.mark.parametrize(
    "change",
    [
        {"limits": Limits(seed=1)},
        {"limits": Limits(time_s=59.0)},
        {"limits": Limits(rel_gap=0.1)},
        {"limits": Limits(threads=1)},
        {"options": {"steady": {"scale": "0.5"}}},
    ],
)
def test_whatever_may_change_a_run_makes_it_another_run(change: dict[str, Any], tmp_path: Path) -> None:
    """Other limits, seeds or options are not answered from the folder."""
    solve_all(Steady(), folder=tmp_path)
    assert solve_all(Steady(), folder=tmp_path, **change).reused == 0
    assert solve_all(Steady(), folder=tmp_path).reused == 2


@pytest.mark.parametrize("toy", [Broken, Cheat, Picky])
def test_failures_are_never_kept(toy: type[Steady], tmp_path: Path) -> None:
    """An error, a rejected schedule or an unsupported instance is tried again next time."""
    solve_all(toy(), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_without_schedule_is_kept(tmp_path: Path) -> None:
    """A run that found nothing within its limit is finished."""
    solve_all(Empty(), folder=tmp_path)
    assert solve_all(Empty(), folder=tmp_path).reused == 2


def tamper(kind: str, path: Path) -> None:
    """Damage a kept run."""
    text = path.read_text()
    data = json.loads(text)
    if kind == "truncated":
        text = text[: len(text) // 2]
    elif kind == "latency":
        data["result"]["latency_s"] *= 0.9
        text = json.dumps(data)
    elif kind == "power":
        data["result"]["subchannel_power_w"][0] *= 100
        text = json.dumps(data)
    elif kind == "key":
        text = json.dumps(data | {"key": "0" * 64})
    path.write_text(text)


@pytest.mark.parametrize("kind", ["truncated", "latency", "power", "key"])
def test_damaged_runs_are_run_again_with_a_warning(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A truncated, doctored or misplaced file is never believed: it is reported, run again and replaced."""
    first = solve_all(Steady(), folder=tmp_path)
    damaged = sorted(tmp_path.iterdir())[0]
    good = json.loads(damaged.read_text())
    tamper(kind, damaged)
    again = solve_all(Steady(), folder=tmp_path)
    assert again.reused == 1
    assert str(damaged) in caplog.text
    assert [run.latency_s for run in again.documents] == [run.latency_s for run in first.documents]
    assert json.loads(damaged.read_text())["result"]["latency_s"] == good["result"]["latency_s"]


def test_interrupt_keeps_what_is_finished_and_resumes(tmp_path: Path) -> None:
    """Ctrl-C ends the campaign; the finished runs are there, the interrupted one is not, and the next start goes on."""
    stopped = solve_all(Steady(), Interrupted(), Weak(), folder=tmp_path)
    assert stopped.interrupted
    assert [run.solver for run in stopped.documents] == ["steady"]
    assert (stopped.planned, len(list(tmp_path.iterdir()))) == (6, 1)
    assert solve_all(Steady(), Weak(), folder=tmp_path).reused == 1


def test_a_run_that_takes_its_process_down_is_an_error_and_the_others_count(tmp_path: Path) -> None:
    """Side by side, such a run is a row that says so and is not kept; the others are there, on one thread each."""
    with open_engine(LOCAL, 2) as engine:
        comparison = solve_all(Dying(), Steady(), folder=tmp_path, engine=engine)
    assert [(run.instance.name, run.solver, run.stop_reason) for run in comparison.documents] == [
        ("one", "dying", "error"), ("one", "steady", "completed"),
        ("two", "dying", "error"), ("two", "steady", "completed"),
    ]  # fmt: skip
    assert comparison.documents[0].provenance["message"] == "its process ended with exit code 7, 2 times"
    assert [run.provenance["threads"] for run in comparison.documents[1::2]] == [1, 1]
    here = solve_all(Steady(), folder=tmp_path)
    assert (here.reused, Steady.calls) == (2, 0)
    assert here.documents == comparison.documents[1::2]


def test_ctrl_c_keeps_the_runs_that_are_done_side_by_side(tmp_path: Path) -> None:
    """Interrupted after two of four runs in another process, these two are there, kept, and not made again."""

    class Impatient:
        def start(self, label: str) -> None:
            if label == "2 of 4 runs":
                signal.raise_signal(signal.SIGINT)

        def listen(self, monitor: SolveMonitor) -> None:
            pytest.fail("no monitor gets through")

    with open_engine(LOCAL, 1, threads=2) as engine:
        stopped = solve_all(Steady(), Weak(), folder=tmp_path, engine=engine, observer=Impatient())
    assert (stopped.interrupted, stopped.planned) == (True, 4)
    assert [(run.instance.name, run.solver) for run in stopped.documents] == [("one", "steady"), ("one", "weak")]
    assert solve_all(Steady(), Weak(), folder=tmp_path).reused == 2


@pytest.mark.parametrize(
    ("solvers", "options", "word"),
    [
        (["steady", "nobody"], {}, "nobody"),
        (["steady"], {"steady": {"scle": "1"}}, "scale"),
        (["steady"], {"weak": {"scale": "1"}}, "weak"),
        ([], {}, "none"),
    ],
)
def test_wrong_solvers_and_options_are_found_before_anything_runs(
    solvers: list[str], options: dict[str, dict[str, str]], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown solver or option, or options for a solver that does not run, is an error at once."""
    register_toys(monkeypatch)
    with pytest.raises(InputError, match=word):
        compare(TWO, solvers, options=options)
    assert Steady.calls == 0


def test_a_solver_that_does_not_load_leaves_the_others_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Asked for all solvers, one that can't be loaded is a warning."""
    register_toys(monkeypatch, Steady, type("NoSolver", (), {"name": "strange"}))
    comparison = compare(TWO[:1])
    assert [run.solver for run in comparison.documents] == ["steady"]
    assert "strange" in caplog.text


def test_only_verified_schedules_score() -> None:
    """Rejected, failed, empty and unsupported runs have no latency, come last and win nothing."""
    rows = rank(compare(TWO[:1], [Cheat(), Broken(), Empty(), Picky(), Weak(), Steady()]).documents)
    assert [row.solver for row in rows[:2]] == ["steady", "weak"]
    assert all(row.latency_s is None and row.best_bound_gap is None for row in rows[2:])
    messages = {row.solver: row.message for row in rows}
    assert "client power limit P_i" in messages["cheat"]
    assert {line.solver for line in summarise(rows) if line.wins} == {"steady"}


def test_gap_is_to_the_best_bound_of_all() -> None:
    """Every verified run is measured against the best bound that anybody proved, here `weak`'s."""
    rows = rank(compare(TWO[:1], [Steady(), Weak()]).documents)
    steady = next(row for row in rows if row.solver == "steady")
    assert steady.bound_s is None
    assert steady.latency_s is not None
    assert steady.best_bound_s == 1e-3
    assert steady.best_bound_gap == pytest.approx((steady.latency_s - 1e-3) / steady.latency_s)


def test_a_bound_refuted_by_another_solver_is_rejected() -> None:
    """A bound above somebody's verified latency is false: its run does not score and the bound is not used."""
    rows = {row.solver: row for row in rank(compare(TWO[:1], [Steady(), Weak(), Liar()]).documents)}
    assert (rows["liar"].status, rows["liar"].latency_s, rows["liar"].bound_s) == ("rejected", None, None)
    assert "dual bound" in rows["liar"].message
    assert rows["steady"].best_bound_s == 1e-3


def test_known_bounds_count_unless_refuted() -> None:
    """A bound known from elsewhere is used if it is better and not above a verified latency."""
    documents = compare(TWO[:1], [Steady()]).documents
    sha256, latency_s = documents[0].instance.sha256, documents[0].latency_s
    assert latency_s is not None
    assert rank(documents, {sha256: 0.5 * latency_s})[0].best_bound_gap == pytest.approx(0.5)
    assert rank(documents, {sha256: 2 * latency_s})[0].best_bound_s is None


def test_summary_counts_wins_and_medians() -> None:
    """Wins and medians over instances equal those computed by hand; ties are wins for both."""

    class Twin(Steady):
        name = "twin"

    rows = rank(compare(TWO, [Steady(), Twin(), Weak()]).documents)
    lines = {line.solver: line for line in summarise(rows)}
    assert {name: line.wins for name, line in lines.items()} == {"steady": 2, "twin": 2, "weak": 0}
    expected = np.median([round_latency(instance, round_robin(instance)).round_latency_s for instance in TWO])
    assert lines["steady"].median_latency_s == pytest.approx(expected, rel=1e-12)
