"""A training killed at any moment goes on, or begins, by the same command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_toys import Steady
from training_toys import register_training_toys

from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.json_record import read_instance
from epsl_opt.files.json_files import write_record
from epsl_opt.training.folder import FolderState, TrainingFolder

KILLED = 9

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork of this process")


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toys are registered."""
    register_training_toys(monkeypatch, Steady)


@pytest.fixture
def command(instance_file: str) -> list[str]:
    """A training that saves twice before its end."""
    rounds = ["--rounds", "6", "--checkpoint-every", "3"]
    return [
        "train",
        instance_file,
        "-s",
        "steady",
        "--backend",
        "toy",
        "-t",
        "plane",
        *rounds,
        "-q",
        "-f",
        "json",
        "-o",
    ]


def replacing(hook: Callable[[Callable[[], None]], None]) -> Callable[..., None]:
    """Return an `os.replace` that leaves it to the hook when to replace."""
    real = os.replace

    def replace(*paths: Any, **options: Any) -> None:
        hook(lambda: real(*paths, **options))

    return replace


def run_killed(arguments: list[str], number: int, after: bool) -> int:
    """Run a command in a fork that ends, without any cleaning up, before or after it replaces the n-th file.

    Return its exit code, which is `KILLED` unless it has come to its end.
    """
    child = os.fork()
    if child == 0:
        calls = iter(range(1, 10_000))

        def hook(replace: Callable[[], None]) -> None:
            due = next(calls) == number
            if due and not after:
                os._exit(KILLED)
            replace()
            if due:
                os._exit(KILLED)

        os.replace = replacing(hook)
        os._exit(run(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def learned(folder: Path) -> dict[str, Any]:
    """Return all that a training left behind, real times apart."""
    state = json.loads((folder / "checkpoint.toy").read_bytes())
    metadata = json.loads(state.pop("metadata"))
    summary = json.loads((folder / "summary.json").read_text())
    for document in (metadata, summary):
        del document["real_time_s"]
    tables = {name: (folder / name).read_bytes() for name in ("records.csv", "instance.json")}
    schedule = json.loads((folder / "schedule.json").read_text())
    return {"state": state, "metadata": metadata, "summary": summary, **tables, "owners": schedule["subchannel_client"]}


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_replacement_it_goes_on_by_the_same_command(
    after: bool, command: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Killed before or after any file is replaced, `--resume` ends with what an undisturbed training leaves.

    The same command without --resume does so as long as no round can be lost, and otherwise says how to go on.
    """
    whole = tmp_path / "whole"
    assert run([*command, str(whole)]) == ExitCode.OK
    expected, states = learned(whole), set()
    for number in range(1, 1000):
        folders = [tmp_path / f"{way}-{number}" for way in ("resumed", "again")]
        codes = [run_killed([*command, str(folder)], number, after) for folder in folders]
        if codes != [KILLED, KILLED]:
            assert codes == [ExitCode.OK, ExitCode.OK]
            break
        resumed, again = folders
        state = TrainingFolder(again, ".toy").state
        states.add(state)
        assert run([*command, str(resumed), "--resume"]) == ExitCode.OK
        assert learned(resumed) == expected
        if state is FolderState.HELD:
            assert run([*command, str(again)]) == ExitCode.BAD_INPUT
            assert "go on with it by --resume" in capfd.readouterr().err
            assert run([*command, str(again), "--resume"]) == ExitCode.OK
        else:
            assert run([*command, str(again)]) == ExitCode.OK
        assert learned(again) == expected
    assert number > 10
    assert states >= {FolderState.STARTED, FolderState.HELD}


def test_killed_again_and_again_it_comes_to_its_end(command: list[str], tmp_path: Path) -> None:
    """Killed after every single file that it replaces, and resumed, a training ends with the same."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run([*command, str(whole)]) == ExitCode.OK
    arguments = [*command, str(parts), "--resume", "--checkpoint-every", "1"]
    codes = [run_killed(arguments, number % 3 + 1, after=True) for number in range(20)]
    assert KILLED in codes
    assert run(arguments) == ExitCode.OK
    assert learned(parts) == learned(whole)


@pytest.mark.parametrize("resume", [[], ["--resume"]])
@pytest.mark.parametrize("kept", [["instance.json"], ["instance.json", "schedule.json"], ["schedule.json"], []])
def test_a_start_cut_short_is_begun_anew(
    kept: list[str], resume: list[str], command: list[str], tmp_path: Path
) -> None:
    """With any files of a start and nothing else, with or without --resume, the training begins, and solves once."""
    folder = tmp_path / "run"
    assert run([*command, str(folder)]) == ExitCode.OK
    expected, calls = learned(folder), Steady.calls
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    assert run([*command, str(folder), *resume]) == ExitCode.OK
    assert learned(folder) == expected
    assert Steady.calls == calls + ("schedule.json" not in kept)


def test_a_checkpoint_alone_is_gone_on_with(command: list[str], tmp_path: Path) -> None:
    """Where summary.json is lost, the checkpoint has all that is needed, and is not begun anew by accident."""
    folder = tmp_path / "run"
    assert run([*command, str(folder)]) == ExitCode.OK
    expected = learned(folder)
    (folder / "summary.json").unlink()
    assert run([*command, str(folder)]) == ExitCode.BAD_INPUT
    assert run([*command, str(folder), "--resume"]) == ExitCode.OK
    assert learned(folder) == expected


@pytest.mark.parametrize("resume", [[], ["--resume"]])
@pytest.mark.parametrize("name", ["instance.json", "schedule.json", "records.csv"])
def test_a_file_of_somebody_else_is_not_replaced(
    name: str, resume: list[str], command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An instance, schedule or records that a start of this training does not write are left alone, and named."""
    folder, other = tmp_path / "run", tmp_path / "other"
    renamed = read_instance(command[1]).replace(name="renamed")
    write_record(tmp_path / "renamed.json", renamed)
    assert run(["train", str(tmp_path / "renamed.json"), *command[2:], str(other)]) == ExitCode.OK
    folder.mkdir()
    content = (other / name).read_bytes()
    (folder / name).write_bytes(content)
    capsys.readouterr()
    assert run([*command, str(folder), *resume]) == ExitCode.BAD_INPUT
    told = capsys.readouterr().err
    assert f"{name}: would be replaced; take another folder" in told
    assert told.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {name: content}
