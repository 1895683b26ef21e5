"""`epsl-opt plan` from the outside."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_toys import write_instance
from training_toys import register_training_toys

from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.planning import held
from epsl_opt.report.plan_files import COLUMNS
from epsl_opt.solvers.exact import Exact

KILLED = 9
GRID = "--frameworks psl,sl --batch-size 8 --average-every never,5 --learning-rate 0.5 --cut-layers early"
TOY = "--backend toy --task plane --target 0.9 --seeds 0,1 --rounds 40 --jobs 1"


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the toy trains, only `exact` solves, and pictures, which take longer than all the rest, are left out."""
    register_training_toys(monkeypatch, Exact)
    monkeypatch.setattr("epsl_opt.report.plots.save.save_picture", lambda figure, stem: [])
    held._held.clear()


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A small plan."""
    return ["plan", write_instance(tmp_path), *GRID.split(), *TOY.split()]


def replacing(hook: Callable[[Callable[[], None]], None]) -> Callable[..., None]:
    """Return an `os.replace` that leaves it to the hook when to replace."""
    real = os.replace

    def replace(*paths: Any, **options: Any) -> None:
        hook(lambda: real(*paths, **options))

    return replace


def run_killed(arguments: list[str], number: int) -> int:
    """Run a command in a fork that ends, without any cleaning up, before it replaces the n-th file."""
    child = os.fork()
    if child == 0:
        calls = iter(range(1, 10_000))

        def hook(replace: Callable[[], None]) -> None:
            if next(calls) == number:
                os._exit(KILLED)
            replace()

        os.replace = replacing(hook)
        os._exit(run(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of this process")
def test_killed_anywhere_the_same_command_comes_to_the_same_plan(arguments: list[str], tmp_path: Path) -> None:
    """Killed before any of many files is replaced, and run again, the plan is that of an undisturbed run, every byte.

    Also if it is killed again and again.
    """
    folder = tmp_path / "plan"
    command = [*arguments, "-q", "-f", "json", "-o", str(folder)]
    assert run(command) == ExitCode.OK
    names = ("plan.json", "points.csv", "instance.json")
    expected = {name: (folder / name).read_bytes() for name in names}
    for number in (1, 2, 3, 4, 7, 12, 20):
        (folder / "plan.json").unlink()
        for path in sorted(folder.glob("pilots/*/*"))[number % 3 :: 2]:
            path.unlink()
        held._held.clear()
        assert run_killed(command, number) == KILLED
        assert run_killed(command, number) in (KILLED, ExitCode.OK)
        held._held.clear()
        assert run(command) == ExitCode.OK
        assert {name: (folder / name).read_bytes() for name in names} == expected


def test_standard_output_is_the_document_or_its_rows(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """JSON is the plan, CSV has a row for each point, and the table ends with certificate and command."""
    assert run([*arguments, "-f", "json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["version"]) == ("epsl-opt/plan", 1)
    assert run([*arguments, "-f", "csv"]) == ExitCode.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["fate"] for row in rows] == [point["fate"] for point in document["points"]]
    assert run(arguments) == ExitCode.OK
    table = capsys.readouterr().out
    assert document["certificate"] in table
    assert "epsl-opt train" in table


def test_the_command_it_prints_trains_the_winner_as_planned(arguments: list[str], tmp_path: Path) -> None:
    """Run as printed, training reaches the target at the pilot's round, in a time inside the plan's ends."""
    folder = tmp_path / "plan"
    assert run([*arguments, "-q", "-o", str(folder)]) == ExitCode.OK
    document = json.loads((folder / "plan.json").read_text())
    program, *command = document["command"]
    assert program == "epsl-opt"
    assert run([*command, "-q", "-o", str(tmp_path / "trained")]) == ExitCode.OK
    summary = json.loads((tmp_path / "trained" / "summary.json").read_text())
    winner = document["points"][document["winner"]]
    reached = {pilot["seed"]: pilot.get("reached") for pilot in winner["pilots"]}
    assert summary["rounds_to_target"] == reached[summary["seed"]]
    assert winner["time_low_s"] <= summary["time_to_target_s"] <= winner["time_high_s"]


@pytest.mark.parametrize(
    ("extra", "code", "named"),
    [
        (["--target", "2"], ExitCode.BAD_INPUT, "--target"),
        (["--average-every", "sometimes"], ExitCode.BAD_INPUT, "--average-every"),
        (["--batch-size", "0"], ExitCode.BAD_INPUT, "--batch-size"),
        (["--phi", "2", "--frameworks", "epsl"], ExitCode.BAD_INPUT, "--phi"),
        (["--cut-layers", "nowhere"], ExitCode.BAD_INPUT, "nowhere"),
        (["--rounds-table", "nowhere.csv"], ExitCode.BAD_INPUT, "nowhere.csv"),
        (["--target", "1", "--rounds", "2"], ExitCode.NO_SCHEDULE, "no point is known to reach the target"),
    ],
)
def test_what_goes_wrong_is_one_line(
    extra: list[str], code: int, named: str, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The option or file is named on standard error, and the exit code says which kind it is."""
    assert run([*arguments, "-q", *extra]) == code
    told = capsys.readouterr().err.strip()
    assert named in told
    assert "\n" not in told
