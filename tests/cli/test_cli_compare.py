"""`epsl-opt compare` from the outside."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from cli_toys import Interrupted, Steady, Weak, register_toys, write_instance

from epsl_opt.campaigns.ranking import COLUMNS
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.files.json_files import read_schedule
from epsl_opt.problems import library


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toy solvers are registered."""
    register_toys(monkeypatch)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take longer than all the rest."""
    monkeypatch.setattr("epsl_opt.report.comparison_files._write_pictures", lambda *arguments: None)


def test_output_folder_is_complete(instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder holds tables equal to stdout, a schedule per verified run, and PNG and SVG of each picture."""
    folder = tmp_path / "out"
    arguments = ["compare", instance_file, "--solvers", "steady,weak,picky", "-o", str(folder)]
    assert run([*arguments, "-f", "json"]) == ExitCode.OK
    records = json.loads(capsys.readouterr().out)
    assert records == json.loads((folder / "comparison.json").read_text())
    assert run([*arguments, "-f", "csv"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert out == (folder / "comparison.csv").read_text()
    assert "2 of 3 runs were there already" in err
    latencies = {record["solver"]: record["latency_s"] for record in records}
    for solver in ("steady", "weak"):
        assert read_schedule(folder / "schedules" / f"small--{solver}.json").latency_s == latencies[solver]
    assert not (folder / "schedules" / "small--picky.json").exists()
    pictures = {path.name for path in (folder / "pictures").iterdir()}
    kinds = ("allocation", "gantt", "comparison")
    assert pictures == {f"small--{kind}.{suffix}" for kind in kinds for suffix in ("png", "svg")}


def test_one_record_per_run_in_both_formats(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON and CSV have the same runs with the same columns."""
    arguments = ["compare", instance_file, "--solvers", "weak,steady"]
    run([*arguments, "-f", "json"])
    records = json.loads(capsys.readouterr().out)
    run([*arguments, "-f", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [list(record) for record in records] == [list(COLUMNS)] * 2
    assert [(row["solver"], float(row["latency_s"])) for row in rows] == [
        (record["solver"], record["latency_s"]) for record in records
    ]


def test_chatter_of_solvers_stays_off_stdout(instance_file: str, capfd: pytest.CaptureFixture[str]) -> None:
    """T4: a solver that writes to file descriptor 1 does not corrupt the comparison's JSON."""
    assert run(["compare", instance_file, "--solvers", "noisy", "-f", "json"]) == ExitCode.OK
    out, err = capfd.readouterr()
    assert len(json.loads(out)) == 1
    assert "descriptor chatter" in err


@pytest.mark.parametrize(
    ("solvers", "code"),
    [
        ("steady,picky", ExitCode.OK),
        ("steady,empty", ExitCode.NO_SCHEDULE),
        ("steady,empty,cheat", ExitCode.REJECTED),
        ("steady,liar", ExitCode.REJECTED),
        ("steady,empty,cheat,broken", ExitCode.ERROR),
        ("steady,interrupted,broken", ExitCode.INTERRUPTED),
    ],
)
def test_exit_code_is_the_worst(solvers: str, code: ExitCode, instance_file: str) -> None:
    """One run that needs attention decides the exit code; unsupported ones do not."""
    assert run(["compare", instance_file, "--solvers", solvers, "-q"]) == code


def test_table_shows_why_a_run_does_not_score(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A rejected run names its constraint in the table, an unsupported one its reason, without an escape code."""
    run(["compare", instance_file, "--solvers", "steady,cheat,picky"])
    out = capsys.readouterr().out
    assert "client power limit P_i: phone-0" in out
    assert "the toy does not like it" in out
    assert "\x1b" not in out


@pytest.mark.usefixtures("no_pictures")
def test_interrupt_says_how_to_resume(
    instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C the same command goes on: what was finished is not run again."""
    arguments = ["compare", instance_file, "--output", str(tmp_path / "out"), "-f", "json"]
    register_toys(monkeypatch, Weak, Interrupted, Steady)
    assert run([*arguments, "--solvers", "weak,interrupted,steady"]) == ExitCode.INTERRUPTED
    out, err = capsys.readouterr()
    assert "interrupted after 1 of 3 runs; the same command goes on from here" in err
    assert [record["solver"] for record in json.loads(out)] == ["weak"]
    assert run([*arguments, "--solvers", "weak,steady"]) == ExitCode.OK
    assert "1 of 2 runs were there already" in capsys.readouterr().err


def test_seeds_draw_scenarios_and_leave_files_alone(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--seeds` makes one instance per seed of each scenario; a file is run once; summary counts them all."""
    arguments = ["compare", "paper:clients=2,subchannels=3", instance_file, "--seeds", "0..2", "--solvers", "steady"]
    assert run([*arguments, "-f", "json"]) == ExitCode.OK
    records = json.loads(capsys.readouterr().out)
    assert len({record["instance_sha256"] for record in records}) == 4
    assert run(arguments) == ExitCode.OK
    assert "Summary of 4 instances" in capsys.readouterr().out


def test_seeds_without_a_scenario_are_refused(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--seeds` with files only is bad input: nothing could be drawn."""
    assert run(["compare", instance_file, "--seeds", "0"]) == ExitCode.BAD_INPUT
    assert "--seeds" in capsys.readouterr().err


def test_options_go_to_one_solver(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--option SOLVER.K=V` changes that solver's run only; without a solver's name it is bad input."""
    arguments = ["compare", instance_file, "--solvers", "steady,weak", "-f", "json"]
    run(arguments)
    plain = {record["solver"]: record["latency_s"] for record in json.loads(capsys.readouterr().out)}
    run([*arguments, "--option", "steady.scale=0.1"])
    changed = {record["solver"]: record["latency_s"] for record in json.loads(capsys.readouterr().out)}
    assert changed["weak"] == plain["weak"]
    assert changed["steady"] > plain["steady"]
    assert run([*arguments, "--option", "scale=0.1"]) == ExitCode.BAD_INPUT


def test_unwritable_folder_is_refused_before_solving(
    instance_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that can't be made is bad input, and nothing is solved."""
    monkeypatch.setattr("epsl_opt.campaigns.comparison_runs.solve", pytest.fail)
    folder = f"{instance_file}/below-a-file"
    assert run(["compare", instance_file, "--solvers", "steady", "-o", folder]) == ExitCode.BAD_INPUT
    assert folder in capsys.readouterr().err


@pytest.mark.usefixtures("no_pictures")
def test_instances_of_one_name_do_not_share_files(tmp_path: Path) -> None:
    """Two different instances called the same get a schedule file each."""
    for place, clients in (("a", 2), ("b", 3)):
        (tmp_path / place).mkdir()
        write_instance(tmp_path / place, clients=clients)
    sources = [str(tmp_path / place / "small.json") for place in "ab"]
    assert run(["compare", *sources, "--solvers", "steady", "-o", str(tmp_path / "out"), "-q"]) == ExitCode.OK
    files = list((tmp_path / "out" / "schedules").iterdir())
    assert len({read_schedule(path).instance.sha256 for path in files}) == 2


def test_library_bounds_count_for_the_librarys_instances_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bound that the library records is used for its instance, not for another one of the same name."""
    recorded = library.BestKnown(bound_s=1e-9, bound_solver="somebody")
    monkeypatch.setattr(library, "best_known", lambda name: recorded)
    name = library.names()[0]
    impostor = write_instance(tmp_path, name)
    assert run(["compare", name, "--solvers", "steady", "-f", "json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)[0]["best_bound_s"] == 1e-9
    assert run(["compare", impostor, "--solvers", "steady", "-f", "json", "--no-bound"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)[0]["best_bound_s"] is None


def test_where_nobody_proves_a_bound_one_is_proved_beside(
    instance_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is below every verified latency, nobody's own, and left out with --no-bound."""
    rows = {}
    for option in ((), ("--no-bound",)):
        assert run(["compare", instance_file, "--solvers", "steady", "-f", "json", *option]) == ExitCode.OK
        (rows[option],) = json.loads(capsys.readouterr().out)
    beside, without = rows[()], rows["--no-bound",]
    assert 0 < beside["best_bound_s"] <= beside["latency_s"]
    assert beside["best_bound_gap"] == pytest.approx(1 - beside["best_bound_s"] / beside["latency_s"])
    assert beside["bound_s"] is None
    assert (without["best_bound_s"], without["best_bound_gap"]) == (None, None)
    assert beside["latency_s"] == without["latency_s"]
