"""The frame of the command line: help, usage errors, what is imported."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from epsl_opt.cli.app import COMMANDS, cli, run
from epsl_opt.cli.exits import ExitCode, exit_code, worst
from epsl_opt.core.results import SolutionStatus, StopReason

HEAVY = ("torch", "cvxpy", "pyomo", "matplotlib", "scipy", "highspy", "numpy", "pydantic", "rich")


def modules_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the modules it imported."""
    report = f"{code}\nimport sys; print('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_imports_no_heavy_package() -> None:
    """No help page imports a numerical, plotting or validation package."""
    pages = [["--help"], [], ["--version"], *([name, "--help"] for name in COMMANDS)]
    loaded = modules_after(f"from epsl_opt.cli.app import run; assert all(run(page) == 0 for page in {pages!r})")
    assert loaded.isdisjoint(HEAVY)


def test_top_help_imports_no_command() -> None:
    """The list of commands is printed from the table alone."""
    loaded = modules_after("from epsl_opt.cli.app import run; run(['--help'])")
    assert loaded.isdisjoint(module for module, _ in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_table_agrees_with_the_commands_own_help(name: str) -> None:
    """The one-line help in the table is the first sentence of the command's help."""
    assert command_named(name).get_short_help_str(200).rstrip(".") == COMMANDS[name][1].rstrip(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_page_has_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every command's help shows how to call it."""
    assert run([name, "--help"]) == 0
    assert f"  epsl-opt {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["slove"], ["slove", "solve"]),
        (["solve"], ["INSTANCE"]),
        (["solve", "x", "--sovler", "greedy"], ["--sovler"]),
        (["solve", "x", "--time-limit", "soon"], ["--time-limit", "soon"]),
        (["solve", "x", "--time-limit", "nan"], ["--time-limit", "nan"]),
        (["solve", "x", "--gap", "-1"], ["--gap", "-1"]),
        (["solve", "x", "--threads", "0"], ["--threads", "0"]),
        (["solve", "x", "--seed", "-1"], ["--seed", "-1"]),
        (["solve", "no-such-file.json"], ["no-such-file.json"]),
        (["solve", "papre"], ["papre", "paper"]),
        (["solve", "paper", "--solver", "gredy"], ["gredy", "greedy"]),
        (["solve", "paper", "--option", "x"], ["KEY=VALUE"]),
        (["solve", "paper:clints=3"], ["clints", "clients"]),
        (["compare", "paper", "--seeds", "4..0"], ["--seeds"]),
        (["compare", "paper:seed=1", "--seeds", "0..1"], ["paper:seed=1", "--seeds"]),
        (["generate"], ["SCENARIO"]),
        (["schema", "nonsense"], ["nonsense"]),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage ends with code 2, nothing on stdout and one line on stderr that names what is wrong."""
    assert run(arguments) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("epsl-opt: error: ")
    assert err.count("\n") == 1
    assert all(name in err for name in names)


@pytest.mark.parametrize(
    ("status", "stop_reason", "code"),
    [
        ("verified", "completed", 0),
        ("verified", "error", 0),
        ("verified", "interrupted", 0),
        ("none", "error", 1),
        ("none", "infeasible_proved", 3),
        ("none", "time_limit", 4),
        ("none", "completed", 4),
        ("none", "unsupported", 4),
        ("rejected", "completed", 5),
        ("rejected", "error", 5),
        ("none", "interrupted", 130),
    ],
)
def test_exit_codes(status: str, stop_reason: str, code: int) -> None:
    """What a run left behind and why it stopped decide the documented exit code."""
    assert exit_code(SolutionStatus(status), StopReason(stop_reason)) == code


def test_worst_exit_code_is_never_ok_unless_all_are() -> None:
    """Every code a run can have wins over OK, and an error over a schedule that is missing or rejected."""
    for code in set(ExitCode) - {ExitCode.BAD_INPUT}:
        assert worst([ExitCode.OK, code, ExitCode.OK]) == code
    assert worst([ExitCode.NO_SCHEDULE, ExitCode.ERROR, ExitCode.REJECTED]) == ExitCode.ERROR


def test_unexpected_errors_show_a_traceback_only_with_debug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is one line and code 1; `--debug` adds the traceback."""

    def fail(source: str) -> None:
        raise ZeroDivisionError("oops\nsecond line")

    monkeypatch.setattr("epsl_opt.problems.sources.load_instance", fail)
    assert run(["show", "paper"]) == ExitCode.ERROR
    quiet = capsys.readouterr().err
    assert quiet.count("\n") == 1
    assert "ZeroDivisionError" in quiet
    assert run(["--debug", "show", "paper"]) == ExitCode.ERROR
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_asks_for_our_variable(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each script calls the program through the variable click listens to."""
    assert run(["completion", shell]) == 0
    assert "_EPSL_OPT_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [("epsl-opt so", "solve"), ("epsl-opt solve pap", "paper"), ("epsl-opt solve paper --solver gre", "greedy"),
     ("epsl-opt compare paper --solvers bcd,gre", "bcd,greedy")],
)  # fmt: skip
def test_completion_knows_commands_scenarios_and_solvers(words: str, expected: str) -> None:
    """The shell is offered commands, scenarios and solvers, the last name of a list included."""
    asked = {"_EPSL_OPT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    code = f"import os; os.environ.update({asked!r}); from epsl_opt.cli.app import run; run([])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"plain,{expected}" in done.stdout


def documented_lines() -> list[str]:
    """Return every command line that the manual or a help page shows."""
    manual = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    pages = [manual, *(command_named(name).help or "" for name in COMMANDS), cli.help or ""]
    parts = [part.strip() for page in pages for line in page.splitlines() for part in line.split(" | ")]
    return [part.partition(">")[0] for part in parts if part.startswith("epsl-opt ") and part.split()[1] in COMMANDS]


def command_named(name: str) -> click.Command:
    """Return a command."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def test_documented_command_lines_parse() -> None:
    """Every command line in the manual and the help pages has options and values that the command takes."""
    lines = documented_lines()
    assert {line.split()[1] for line in lines} == set(COMMANDS)
    for line in lines:
        name, *arguments = shlex.split(line, comments=True)[1:]
        assert command_named(name).make_context(name, arguments, parent=click.Context(cli)) is not None


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_closed_streams_are_no_error(closed: str) -> None:
    """A process without stdout or stderr runs to its end and returns the ordinary code."""
    code = (
        f"import sys; sys.{closed} = None; sys.argv[1:] = ['schema', 'schedule']; from epsl_opt.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")
