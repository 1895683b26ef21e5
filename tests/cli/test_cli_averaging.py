"""`--average-every` of `train` and `compare --train`, on the command line and in a configuration file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from cli_toys import Steady, write_instance
from training_toys import ToyBackend, register_training_toys

from epsl_opt.campaigns.trainings import TRAINING_COLUMNS
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode

TOY = ["--backend", "toy", "--task", "plane", "--rounds", "12", "--evaluate-every", "4"]


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toys are registered, and nothing is drawn."""
    register_training_toys(monkeypatch, Steady)
    monkeypatch.setattr("epsl_opt.report.training_files._write_picture", lambda *arguments: None)


def test_option_and_configuration_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--average-every 5` and `average-every = 5` in TOML train the same, and the table tells the mean latency."""
    command = ["train", write_instance(tmp_path), "-s", "steady", *TOY]
    config = tmp_path / "epsl.toml"
    config.write_text("[train]\naverage-every = 5\n")
    assert run([*command, "--average-every", "5", "-f", "csv"]) == ExitCode.OK
    given = capsys.readouterr().out
    assert run(["--config", str(config), *command, "-f", "csv"]) == ExitCode.OK
    assert capsys.readouterr().out == given
    assert ToyBackend.starts[-1].average_every == 5
    assert run([*command, "--average-every", "5"]) == ExitCode.OK
    assert "the mean of 5 rounds" in capsys.readouterr().out
    assert run(command) == ExitCode.OK
    assert "the mean of" not in capsys.readouterr().out


def test_compared_trainings_average_where_they_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In `compare --train`, EPSL and PSL are averaged and say so, SFL stays as it is, and records are `train`'s."""
    source, folder = write_instance(tmp_path), tmp_path / "out"
    command = ["compare", source, "--train", "--solvers", "steady", "--frameworks", "epsl,psl,sfl", *TOY]
    assert run([*command, "--average-every", "5", "-o", str(folder), "-f", "csv"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert text == (folder / "training.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == [*TRAINING_COLUMNS, "average_every"]
    assert [(row["framework"], row["average_every"]) for row in rows] == [("epsl", "5"), ("psl", "5"), ("sfl", "")]
    names = sorted(path.name for path in (folder / "records").iterdir())
    labels = ("epsl-0.5-I-5", "psl-I-5", "sfl")
    assert names == [f"small--{label}--steady--seed-0.csv" for label in labels]
    schedule = folder / "schedules" / "small--psl-I-5--steady.json"
    instance = folder / "instances" / "small--psl-I-5.json"
    single = ["train", str(instance), "--schedule", str(schedule), "--framework", "psl", "--average-every", "5"]
    assert run([*single, *TOY, "-f", "csv"]) == ExitCode.OK
    assert capsys.readouterr().out == (folder / "records" / names[1]).read_text()
    assert run([*command, "--average-every", "5"]) == ExitCode.OK
    assert "epsl(0.5, I=5)" in capsys.readouterr().out
    assert run([*command, "-f", "json"]) == ExitCode.OK
    assert all(list(row) == list(TRAINING_COLUMNS) for row in json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--average-every", "0"], "--average-every"),
        (["--average-every", "5", "--framework", "sfl"], "is for the frameworks epsl and psl, not sfl"),
        (["--average-every", "5", "--framework", "sl"], "is for the frameworks epsl and psl, not sl"),
    ],
)
def test_wrong_intervals_are_one_line(
    options: list[str], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An interval below 1, or for a framework that averages by itself or not at all, is code 2 and one line."""
    calls = Steady.calls
    assert run(["train", write_instance(tmp_path), "-s", "steady", *TOY, *options, "-q"]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert problem in err
    assert (Steady.calls, ToyBackend.starts) == (calls, [])


def test_comparing_nothing_that_averages_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With neither EPSL nor PSL among the frameworks, `compare --train --average-every` is code 2 and one line."""
    command = ["compare", write_instance(tmp_path), "--train", "--solvers", "steady", "--frameworks", "sfl,sl", *TOY]
    assert run([*command, "--average-every", "5"]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert "--average-every: is for the frameworks epsl and psl, none of which is among --frameworks" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("choice", [["--framework", "sfl"], ["--framework", "psl", "--average-every", "4"]])
def test_training_goes_by_the_round_that_the_instance_is_about(
    choice: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--framework`, the framework and averaging of the instance are trained: all is as with the options."""
    source, made = write_instance(tmp_path), str(tmp_path / "made.json")
    assert run(["generate", source, *choice, "-o", made]) == ExitCode.OK
    capsys.readouterr()
    assert run(["train", source, "-s", "steady", *choice, *TOY, "-f", "csv"]) == ExitCode.OK
    asked = capsys.readouterr().out
    started = ToyBackend.starts[-1]
    assert run(["train", made, "-s", "steady", *TOY, "-f", "csv"]) == ExitCode.OK
    assert capsys.readouterr().out == asked
    assert ToyBackend.starts[-1].average_every == started.average_every
