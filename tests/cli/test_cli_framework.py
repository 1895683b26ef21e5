"""`--framework` and `--average-every`: whose round is minimised, on the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from cli_toys import write_instance

from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode

CHOICES = (["--framework", "sfl"], ["--framework", "sl"], ["--framework", "fl"], ["--average-every", "5"])


@pytest.mark.parametrize("choice", CHOICES)
def test_commands_take_the_round_alike(choice: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule solved with the options is for the instance generated with them, and passes the check with them."""
    source, schedule, made = write_instance(tmp_path), str(tmp_path / "s.json"), str(tmp_path / "made.json")
    assert run(["solve", source, *choice, "-s", "greedy", "-o", schedule, "-f", "csv"]) == ExitCode.OK
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    told = {"--framework": row.get("framework"), "--average-every": row.get("average_every")}
    assert told[choice[0]] == choice[1]
    assert run(["generate", source, *choice, "-o", made]) == ExitCode.OK
    assert run(["check", made, schedule]) == ExitCode.OK
    assert run(["check", source, schedule, *choice]) == ExitCode.OK
    assert run(["check", source, schedule]) == ExitCode.BAD_INPUT
    assert run(["show", schedule]) == ExitCode.OK
    assert run(["export", schedule, "--to", "clients-csv", "--instance", source, *choice]) == ExitCode.OK
    assert "model_upload_s" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["solve", "generate", "compare"])
def test_contradictions_are_one_clear_line(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Frameworks that average by themselves take no interval, and the message names the option."""
    source = write_instance(tmp_path)
    assert run([command, source, "--framework", "sfl", "--average-every", "2"]) == ExitCode.BAD_INPUT
    error = capsys.readouterr().err
    assert "--average-every" in error
    assert error.count("\n") == 1
