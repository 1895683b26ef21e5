"""The process around the command line: streams that are closed, full, gone or of little use, and Python's warnings."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from epsl_opt.cli.exits import ExitCode

SHOW = ["show", "paper:clients=2,subchannels=3"]


def epsl_opt(*arguments: str, **streams: object) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m epsl_opt`."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run([sys.executable, "-m", "epsl_opt", *arguments], check=False, **options)  # type: ignore[call-overload,no-any-return]


def in_shell(redirections: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run it in a shell with its redirections."""
    command = f'"$0" -m epsl_opt "$@" {redirections}'
    return subprocess.run(["sh", "-c", command, sys.executable, *arguments], check=False, capture_output=True)


def test_a_module_is_a_program() -> None:
    """`python -m epsl_opt` is the command line, under its name."""
    done = epsl_opt("no-such-command")
    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stderr.startswith(b"epsl-opt: error: no such command 'no-such-command'")


@pytest.mark.parametrize("redirections", ["<&- >&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_no_error(redirections: str, tmp_path: Path) -> None:
    """Whatever streams are closed, a result is whole and none of it lands in a stream's place."""
    output = tmp_path / "i.json"
    done = in_shell(redirections, "solve", SHOW[1], "-s", "greedy", "-o", str(output))
    assert done.returncode == ExitCode.OK
    assert output.read_text().endswith("}\n")


def test_standard_input_that_is_closed_is_empty() -> None:
    """`-` without a standard input is one line and code 2."""
    done = in_shell("<&-", "show", "-")
    assert (done.returncode, done.stderr.count(b"\n")) == (ExitCode.BAD_INPUT, 1)
    assert b"standard input: is not JSON" in done.stderr


@pytest.mark.parametrize("arguments", [SHOW, ["--help"]], ids=["show", "help"])
def test_a_full_disk_is_one_line(arguments: list[str], tmp_path: Path) -> None:
    """Output that does not fit is code 2 and one line that says whose fault it is."""
    full = tmp_path / "full"
    try:
        os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    except PermissionError:
        pytest.skip("only root makes devices")
    with full.open("wb") as stream:
        done = epsl_opt(*arguments, stdout=stream)
        silent = epsl_opt("show", "no-such", stderr=stream)
    assert done.stderr == b"epsl-opt: error: standard output: No space left on device\n"
    assert done.returncode == ExitCode.BAD_INPUT
    assert silent.returncode == ExitCode.BAD_INPUT


@pytest.mark.parametrize("arguments", [SHOW, ["--help"]], ids=["show", "help"])
def test_a_reader_who_has_left_is_no_error(arguments: list[str]) -> None:
    """A closed pipe ends the output, not the program."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = epsl_opt(*arguments, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (ExitCode.OK, b"")


@pytest.mark.parametrize("arguments", [["solvers"], ["solve", "--help"]])
def test_ascii_is_enough(arguments: list[str]) -> None:
    """Where only ASCII may be written, what is none is replaced; nothing fails for it."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = epsl_opt(*arguments, env=environment)
    assert done.returncode in (ExitCode.OK, ExitCode.BAD_INPUT)
    assert b"unexpected" not in done.stderr
    assert arguments[-1] == "--help" or done.stdout.isascii()


@pytest.mark.parametrize(
    ("options", "debug", "heard"), [([], "", False), (["-W", "default"], "", True), ([], "--debug", True)]
)
def test_warnings_of_python_are_for_programmers(options: list[str], debug: str, heard: bool) -> None:
    """A warning from anywhere below reaches no user, but whoever asks the interpreter or `--debug` for them."""
    code = (
        "import sys, warnings, epsl_opt.cli.schema as schema; from epsl_opt.cli import main;"
        "schema.emit_json = lambda data: warnings.warn('divided by zero', RuntimeWarning);"
        f"sys.argv = ['epsl-opt', *{debug.split()!r}, 'schema', 'schedule']; main()"
    )
    done = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, check=False)
    assert done.returncode == ExitCode.OK
    assert (b"divided by zero" in done.stderr) is heard
