"""`epsl-opt train` from the outside: stdout, stderr, files, exit codes."""

from __future__ import annotations

import csv
import json
import re
import shlex
import signal
from pathlib import Path
from typing import Any

import click
import pytest
from cli_toys import Cheat, Empty, Interrupted, InterruptedLate, Noisy, Steady, Weak, small_instance, write_instance
from strategies import schedule_document
from training_toys import ToyBackend, ToySession, register_training_toys, toy_setup

from epsl_opt import ScheduleDocument, solve, write_record
from epsl_opt.cli.app import cli, run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.training_progress import TrainingLine
from epsl_opt.core.defaults import DEFAULT_ROUNDS, DEFAULT_ROUNDS_TO_TARGET
from epsl_opt.core.framework import Framework
from epsl_opt.core.json_record import read_instance
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.json_files import read_schedule
from epsl_opt.files.training_records import COLUMNS
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.run import TrainingRun, train

ROOT = Path(__file__).parents[2]
TOY = ["--backend", "toy", "--task", "plane"]


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toys are registered."""
    register_training_toys(monkeypatch, Steady, Weak, Noisy, Cheat, Empty, Interrupted, InterruptedLate)


@pytest.fixture
def arguments(instance_file: str) -> list[str]:
    """A short training of the toy."""
    return ["train", instance_file, "-s", "steady", *TOY, "--rounds", "12"]


def interrupt_in(monkeypatch: pytest.MonkeyPatch, *rounds: int) -> None:
    """Press Ctrl-C in these rounds, as often as they come."""

    def press(number: int) -> None:
        for _ in range(rounds.count(number)):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ToySession, "before_round", staticmethod(press))


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder but what has real times in it."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {name: files[name] for name in ("records.csv", "instance.json")}


def test_stdout_is_what_the_folder_holds(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JSON is summary.json, CSV is records.csv, and the folder has instance, schedule and checkpoint besides."""
    folder = tmp_path / "out"
    assert run([*arguments, "-o", str(folder), "-f", "json"]) == ExitCode.OK
    assert capsys.readouterr().out == (folder / "summary.json").read_text()
    assert {path.name for path in folder.iterdir()} == {
        "records.csv", "summary.json", "instance.json", "schedule.json", "checkpoint.toy",
    }  # fmt: skip
    assert run([*arguments, "-f", "csv"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert text == (folder / "records.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [bool(row["test_accuracy"]) for row in rows] == [n in (10, 12) for n in range(1, 13)]
    assert read_schedule(folder / "schedule.json").instance.sha256 == read_instance(folder / "instance.json").sha256


def test_table_says_what_came_of_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The table has rounds, accuracy beside the majority rate, and the way to the target; no escape codes."""
    assert run([*arguments, "--target-accuracy", "0.6", "--phi", "0.25"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "\x1b" not in out
    for words in ("epsl, phi 0.25", "majority rate 58.3 %", "(target_accuracy)", "to 60.0 %", "simulated s"):
        assert words in out
    assert run([*arguments, "--target-accuracy", "1"]) == ExitCode.OK
    assert "not reached" in capsys.readouterr().out


def test_chatter_stays_off_stdout(
    arguments: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """T4: neither a solver nor a backend that prints corrupts the JSON."""
    monkeypatch.setattr(ToySession, "before_round", staticmethod(lambda number: print("round chatter")))
    arguments[arguments.index("steady")] = "noisy"
    assert run([*arguments, "-f", "json"]) == ExitCode.OK
    out, err = capfd.readouterr()
    assert json.loads(out)["rounds"] == 12
    assert "round chatter" in err
    assert "C library chatter" in err


def test_ctrl_c_saves_and_resume_goes_on(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the round, saves, says how to go on with code 130; resumed, all is as if it had not happened."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run([*arguments, "-o", str(whole)]) == ExitCode.OK
    interrupt_in(monkeypatch, 5)
    capsys.readouterr()
    assert run([*arguments, "-o", str(parts), "-q", "-f", "json"]) == ExitCode.INTERRUPTED
    out, err = capsys.readouterr()
    assert err == "epsl-opt: interrupted after 5 rounds; the same command with --resume goes on\n"
    assert (json.loads(out)["rounds"], json.loads(out)["stop_reason"]) == (5, "interrupted")
    assert json.loads((parts / "checkpoint.toy").read_bytes())["round"] == 5
    interrupt_in(monkeypatch)
    assert run([*arguments, "-o", str(parts), "--resume"]) == ExitCode.OK
    assert "going on after round 5" in capsys.readouterr().err
    assert content(parts) == content(whole)


def test_second_ctrl_c_stops_at_once(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two Ctrl-C in one round drop that round, keep the last good checkpoint, and resuming heals it."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run([*arguments, "-o", str(whole)]) == ExitCode.OK
    interrupt_in(monkeypatch, 6, 6)
    assert run([*arguments, "-o", str(parts), "--checkpoint-every", "4"]) == ExitCode.INTERRUPTED
    assert "interrupted after 5 rounds" in capsys.readouterr().err
    assert json.loads((parts / "checkpoint.toy").read_bytes())["round"] == 4
    interrupt_in(monkeypatch)
    assert run([*arguments, "-o", str(parts), "--resume"]) == ExitCode.OK
    assert content(parts) == content(whole)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupt_without_a_folder(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --output, Ctrl-C is code 130, what was learned is printed, and the message says what was missing."""
    interrupt_in(monkeypatch, 3)
    assert run([*arguments, "-f", "csv"]) == ExitCode.INTERRUPTED
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 + 3
    assert "--output DIR" in err


def test_resume_uses_the_schedule_of_the_folder(arguments: list[str], tmp_path: Path) -> None:
    """Resuming does not solve again; more rounds go on from where the training was."""
    folder = str(tmp_path / "out")
    assert run([*arguments, "-o", folder]) == ExitCode.OK
    calls = Steady.calls
    more = ["train", *arguments[1:2], *TOY, "--rounds", "20", "-o", folder, "--resume"]
    assert run(more) == ExitCode.OK
    assert Steady.calls == calls
    assert len((tmp_path / "out" / "records.csv").read_text().splitlines()) == 1 + 20


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (["--framework", "psl"], "framework (epsl, not psl)"),
        (["--phi", "1"], "aggregation ratio (0.5, not 1.0)"),
        (["--batch-size", "4"], "batch size (8, not 4)"),
        (["--seed", "1"], "seed (0, not 1)"),
        (["--option", "lr=0.1"], "option lr (0.5, not 0.1)"),
        (["--network", "wide"], "option network (none, not wide)"),
        (["-s", "weak"], "solver (steady, not weak)"),
        (["--rounds", "3"], "--rounds: must be at least 12"),
    ],
)
def test_resume_of_another_training_is_refused(
    other: list[str], named: str, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that differs from the training in the folder is one line naming what differs, and code 2."""
    folder = tmp_path / "out"
    assert run([*arguments, "-o", str(folder)]) == ExitCode.OK
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    capsys.readouterr()
    assert run([*arguments, "-o", str(folder), "--resume", "-q", *other]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert named in err
    assert err.count("\n") == 1
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_with_a_training_is_not_overwritten(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --resume, a folder that holds a training is refused before anything is solved, naming both ways out."""
    folder = str(tmp_path / "out")
    assert run([*arguments, "-o", folder]) == ExitCode.OK
    calls = Steady.calls
    assert run([*arguments, "-o", folder]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert "--resume" in err
    assert "another folder" in err
    assert Steady.calls == calls


@pytest.mark.parametrize("extra", [[], ["--schedule", "schedule.json"]])
def test_resume_begins_nothing_that_cannot_start(
    extra: list[str], instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--resume of what can't even start (no such solver, no such schedule) is bad input, and no folder comes to be."""
    folder = tmp_path / "empty"
    assert run(["train", instance_file, *TOY, "--resume", "-o", str(folder), *extra]) == ExitCode.BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
    assert not folder.exists()


def write_schedule(path: Path, **training: Any) -> str:
    """Solve the small instance with other training parameters and write the schedule."""
    instance = small_instance().with_training(**training)
    write_record(path, ScheduleDocument.from_result(instance, solve(instance, Steady())))
    return str(path)


def test_schedule_file_is_trained_under(instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule file takes the place of the solver, and the records are the same."""
    schedule = write_schedule(tmp_path / "schedule.json")
    assert run(["train", instance_file, "--schedule", schedule, *TOY, "-f", "csv", "-n", "5"]) == ExitCode.OK
    first = capsys.readouterr().out
    assert run(["train", instance_file, "--solver", "steady", *TOY, "-f", "csv", "-n", "5"]) == ExitCode.OK
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("training", "options", "said"),
    [
        ({"batch_size": 4}, [], "is for batch size 4 and phi 0.5; its decisions, timed for batch size 8 and phi 0.5"),
        (
            {},
            ["--framework", "psl"],
            "is for batch size 8 and phi 0.5; its decisions, timed for batch size 8 and phi 0",
        ),
    ],
)
def test_decisions_for_other_training_parameters_are_timed_anew(
    training: dict[str, Any],
    options: list[str],
    said: str,
    instance_file: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A schedule for another batch size, phi or framework is trained under as if it had been made for these."""
    schedule, own = write_schedule(tmp_path / "schedule.json", **training), str(tmp_path / "own.json")
    asked = small_instance().with_training(aggregation_ratio=0.0 if options else None)
    decisions = read_schedule(schedule).schedule()
    assert decisions is not None
    write_record(own, schedule_document(asked, decisions))
    printed = []
    for source in (schedule, own):
        assert (
            run(["train", instance_file, "--schedule", source, *TOY, "-f", "csv", "-n", "5", *options]) == ExitCode.OK
        )
        printed.append(capsys.readouterr())
    assert printed[0].out == printed[1].out
    assert said in printed[0].err
    assert said not in printed[1].err


@pytest.mark.parametrize("training", [{}, {"batch_size": 4}])
def test_wrong_schedule_is_refused(
    training: dict[str, Any], instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A schedule for another network is one line, whatever else differs; it ends with a command that makes one."""
    schedule, folder = write_schedule(tmp_path / "schedule.json", **training), tmp_path / "out"
    arguments = ["train", instance_file, "--schedule", schedule, *TOY, "-q", "-o", str(folder), "--network", "wide"]
    assert run(arguments) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert schedule in err
    assert err.count("\n") == 1
    assert not folder.exists()
    remedy = shlex.split(err.partition("this makes one that fits: ")[2])
    assert remedy[0] == "epsl-opt"
    assert run([*remedy[1:], "-s", "steady", "-q"]) == ExitCode.OK
    assert run([*arguments, "-n", "2"]) == ExitCode.OK


def test_schedule_of_another_cell_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule for an instance with another name is refused by that name."""
    source, schedule = write_instance(tmp_path, "other"), write_schedule(tmp_path / "schedule.json")
    assert run(["train", source, "--schedule", schedule, *TOY]) == ExitCode.BAD_INPUT
    assert "is for another instance: 'small'" in capsys.readouterr().err


@pytest.mark.parametrize("training", [{}, {"batch_size": 4}])
def test_false_schedule_is_rejected(
    training: dict[str, Any], instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A schedule file that claims a false latency is code 5, and nothing is trained, whatever it was made for."""
    path = tmp_path / "schedule.json"
    write_schedule(path, **training)
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document | {"latency_s": 0.9 * document["latency_s"]}))
    assert run(["train", instance_file, "--schedule", str(path), *TOY]) == ExitCode.REJECTED
    out, err = capsys.readouterr()
    assert out == ""
    assert "latency_s" in err
    assert ToyBackend.starts == []


@pytest.mark.parametrize(
    ("solver", "code"),
    [
        ("empty", ExitCode.NO_SCHEDULE),
        ("cheat", ExitCode.REJECTED),
        ("interrupted", ExitCode.INTERRUPTED),
    ],
)
def test_without_a_schedule_it_ends_like_solve(
    solver: str, code: ExitCode, instance_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the solver has no schedule, message and exit code are those of `solve`."""
    assert run(["solve", instance_file, "-s", solver, "-q", "-f", "json"]) == code
    said = capsys.readouterr().err
    assert run(["train", instance_file, "-s", solver, "-q", *TOY]) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", said)
    assert ToyBackend.starts == []


def test_infeasible_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer subchannels than clients is code 3, in these words."""
    source = write_instance(tmp_path, clients=4, subchannels=2)
    assert run(["train", source, "-s", "steady", *TOY]) == ExitCode.INFEASIBLE
    assert "fewer subchannels than clients (2 < 4)" in capsys.readouterr().err


def test_interrupted_solve_trains_nothing(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C during the solve ends the command, even if the solver had a schedule by then."""
    assert run(["train", instance_file, "-s", "interrupted-late", *TOY]) == ExitCode.INTERRUPTED
    assert "nothing was trained" in capsys.readouterr().err
    assert ToyBackend.starts == []


def test_missing_package_says_what_to_install(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A backend that lacks a package is one line with the install command and code 2."""
    assert run(["train", instance_file, "--backend", "absent"]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert 'pip install "epsl-opt[torch]"' in err
    assert err.count("\n") == 1


def test_divergence_is_one_line_and_code_1(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Divergence names round, stage and the last good checkpoint, which is still there; the summary says it too."""
    folder = tmp_path / "out"
    options = ["--option", "diverge_at=7", "--checkpoint-every", "3", "-o", str(folder), "-q", "-f", "json"]
    assert run([*arguments, *options]) == ExitCode.ERROR
    out, err = capsys.readouterr()
    assert "diverged in round 7, server forward" in err
    assert str(folder / "checkpoint.toy") in err
    assert err.count("\n") == 1
    assert json.loads((folder / "checkpoint.toy").read_bytes())["round"] == 6
    assert json.loads(out)["divergence"] == {"round": 7, "stage": "server forward"}


def test_replaced_profile_is_noted(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the network is not the instance's model, a note says so and the folder has the instance that was used."""
    folder = tmp_path / "out"
    assert run([*arguments, "--network", "wide", "-o", str(folder)]) == ExitCode.OK
    assert "the network that is trained, 'wide', replaces that of 'toy'" in capsys.readouterr().err
    assert read_instance(folder / "instance.json").model.name == "wide"
    again = [*arguments[:1], str(folder / "instance.json"), *TOY, "--schedule", str(folder / "schedule.json")]
    assert run([*again, "--network", "wide", "-n", "3"]) == ExitCode.OK
    assert "replaces" not in capsys.readouterr().err


@pytest.mark.parametrize("framework", [framework for framework in Framework if framework is not Framework.EPSL])
def test_other_frameworks_aggregate_nothing(
    framework: Framework, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every framework trains; all but EPSL with aggregation ratio 0, and --phi with them is bad input."""
    assert run([*arguments, "--framework", framework.value, "-f", "json"]) == ExitCode.OK
    summary = json.loads(capsys.readouterr().out)
    assert (summary["framework"], summary["aggregation_ratio"]) == (framework.value, 0.0)
    assert run([*arguments, "--framework", framework.value, "--phi", "0.5"]) == ExitCode.BAD_INPUT
    assert "--phi" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--phi", "1.5"], ["aggregation_ratio"]),
        (["--phi", "nan"], ["aggregation_ratio"]),
        (["--target-accuracy", "90"], ["--target-accuracy", "90"]),
        (["--target-accuracy", "nan"], ["--target-accuracy", "nan"]),
        (["--rounds", "0"], ["--rounds"]),
        (["--evaluate-every", "0"], ["--evaluate-every"]),
        (["--checkpoint-every", "0"], ["--checkpoint-every"]),
        (["--seed", "-1"], ["--seed"]),
        (["--framework", "eplsl"], ["--framework", "epsl"]),
        (["--task", "plain"], ["plain"]),
        (["--backend", "tyo"], ["tyo", "toy"]),
        (["--solver", "stedy"], ["stedy", "steady"]),
        (["--option", "lrr=1"], ["lrr", "lr"]),
        (["--option", "lr=fast"], ["lr", "fast"]),
        (["--option", "network=a", "--network", "b"], ["network", "twice"]),
        (["--resume"], ["--resume", "--output"]),
        (["--schedule", "s.json", "--solver", "steady"], ["--schedule", "--solver"]),
        (["-o", "{instance}/x"], ["small.json"]),
    ],
)
def test_wrong_usage_is_one_line(
    options: list[str], names: list[str], instance_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage ends with code 2, nothing on stdout, one line on stderr that names what is wrong, and no training."""
    given = [option.format(instance=instance_file) for option in options]
    solver = [] if "--schedule" in given or "--solver" in given else ["-s", "steady"]
    assert run(["train", instance_file, *TOY, *solver, *given, "-q"]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert all(name in err for name in names)
    assert ToyBackend.starts == []


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_describe_needs_no_instance(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--describe lists the backend's options in every format, and its tasks in all that have room for them."""
    assert run(["train", "--describe", "--backend", "toy", "-f", form]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "learning rate" in out
    assert ("which side of a plane" in out) == (form != "csv")


def test_a_target_allows_for_more_rounds(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without --rounds, a training has as many as the library says, and more where it ends at a target."""
    shared = [*arguments[: arguments.index("--rounds")], "--option", "lr=1e-9", "-f", "csv"]
    for target, rounds in (([], DEFAULT_ROUNDS), (["--target-accuracy", "1"], DEFAULT_ROUNDS_TO_TARGET)):
        assert run([*shared, *target]) == ExitCode.OK
        assert len(capsys.readouterr().out.splitlines()) == 1 + rounds


def test_progress_line_follows_the_run(instance_file: str) -> None:
    """The line shows round, loss, last accuracy and simulated time, and that a stop was asked for."""
    line, request = TrainingLine(), StopRequest()
    line.start("epsl", 12, request)
    training = TrainingRun(toy_setup(goal=TrainingGoal(12)))
    train(training, listener=line.listen)
    text = line.text()
    assert text.startswith("epsl  round 12/12  loss 0.")
    assert f"simulated {training.simulated_time_s:.5g} s" in text
    assert "stopping" not in text
    request.made = True
    assert "stopping" in line.text()


def test_documented_lines_parse() -> None:
    """Every `epsl-opt train` and `compare` line of the manual's page on training and of the README is taken."""
    text = "\n".join((ROOT / name).read_text() for name in ("docs/training.md", "README.md"))
    lines = re.findall(r"^\$? ?epsl-opt ((?:train|compare) .*)$", text, re.MULTILINE)
    assert len(lines) >= 5
    for line in lines:
        name, *arguments = shlex.split(line, comments=True)
        found = cli.get_command(click.Context(cli), name)
        assert found is not None
        assert found.make_context(name, arguments, parent=click.Context(cli)) is not None
