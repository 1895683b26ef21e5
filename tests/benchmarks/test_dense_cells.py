"""The benchmark on dense cells: which cells there are, and that finished runs are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.dense_cells import cells, main, nodes_of
from benchmarks.dense_instances import LIBRARY, draws
from benchmarks.exact_runs import Outcome, Run
from benchmarks.kept_lines import KeptLines
from epsl_opt import InputError, load_instance

OUTCOME = Outcome(
    run=Run("tiny-c2-m3", "exact", 5.0, 1e-4, 2),
    status="verified",
    stop_reason="gap_reached",
    message="",
    latency_s=1.0,
    bound_s=1.0,
    gap=0.0,
    time_s=0.1,
    peak_mib=100.0,
    trace=[(0.1, 1.0, None)],
)


def test_there_are_twenty_different_draws_and_all_are_in_line_of_sight() -> None:
    """The further cells are twenty, no two alike, half of them of unequal bandwidths, every client in line of sight."""
    assert len(set(draws())) == 20
    assert sum("bandwidth_spread" in cell for cell in draws()) == 10
    assert all(client.line_of_sight for client in load_instance(draws()[4]).clients)


def test_a_list_of_cells_keeps_options_with_their_scenario() -> None:
    """Commas between options of one instance do not separate instances."""
    assert cells("paper:clients=3,seed=1,wide-c20-m80") == ("paper:clients=3,seed=1", "wide-c20-m80")
    assert cells("all") == (*LIBRARY, *draws())


def test_kept_runs_are_read_back_and_made_anew_only_where_asked(tmp_path: Path) -> None:
    """What was kept is there in the next session, errors are not, and `again` names solvers to run anew."""
    path = tmp_path / "folder" / "runs.jsonl"
    kept = KeptLines(path)
    kept.keep(OUTCOME)
    failed = replace(OUTCOME, run=replace(OUTCOME.run, solver="greedy"), stop_reason="error")
    kept.keep(failed)
    again = KeptLines(path)
    assert OUTCOME.run in again
    assert again[OUTCOME.run] == OUTCOME
    assert failed.run not in again
    assert OUTCOME.run not in KeptLines(path, again=("exact",))


def test_a_damaged_file_of_runs_is_refused_with_its_line(tmp_path: Path) -> None:
    """Lines that are no runs are not skipped."""
    path = tmp_path / "runs.jsonl"
    KeptLines(path).keep(OUTCOME)
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(InputError, match="line 2 is not a run"):
        KeptLines(path)


def test_one_small_run_makes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script prints a row for each run, and prints the same from what it kept."""
    arguments = ["--cells", "tiny-c2-m3", "--solvers", "exact,greedy", "--output", str(tmp_path / "runs.jsonl")]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    assert len(first.splitlines()) == 4
    assert main(arguments) == 0
    assert capsys.readouterr().out == first


def test_nodes_are_those_a_solver_tells_of() -> None:
    """A number of nodes is taken from the message, if there is one."""
    assert nodes_of("37 nodes bounded") == "37"
    assert nodes_of("") == ""
