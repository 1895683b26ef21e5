"""One command at a time in a folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli_toys import Steady
from study_toys import Squares
from training_toys import register_training_toys

from epsl_opt import InputError
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.files.folder_lock import LOCK, locked
from epsl_opt.plugins import registry

HOLDER = """
import sys
from pathlib import Path
from epsl_opt.files.folder_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds a folder until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_holds_it_and_a_dead_process_holds_nobody_up(tmp_path: Path) -> None:
    """Process, host and time of the holder are named in one line; once it is killed, it holds nobody up."""
    with holder(tmp_path) as process:
        said = rf"{tmp_path.name}: is in use by process {process.pid} on {socket.gethostname()} since \d{{4}}-"
        with pytest.raises(InputError, match=said), locked(tmp_path):
            pass
        process.kill()
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path):
        assert f"process {os.getpid()} " in (tmp_path / LOCK).read_text()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_removed_by_its_holder_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opened the file of a holder that then left holds the folder by a new one, which others find."""
    real, left = os.open, [tmp_path / LOCK]

    def late(path: Path, *options: int) -> int:
        descriptor = real(path, *options)
        if left:
            left.pop().unlink()
        return descriptor

    monkeypatch.setattr("epsl_opt.files.folder_lock.os.open", late)
    with locked(tmp_path), pytest.raises(InputError, match="is in use by process"), locked(tmp_path):
        pass


def test_what_is_no_lock_file_is_one_line(tmp_path: Path) -> None:
    """A folder, a link, or unreadable text in the lock's place neither hides a holder nor raises anything else."""
    with locked(tmp_path):
        (tmp_path / LOCK).write_bytes(b"\xff\x1b[31m\n" * 500)
        with pytest.raises(InputError) as caught, locked(tmp_path):
            pass
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3000
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="can't be locked"), locked(tmp_path):
        pass
    (tmp_path / LOCK).unlink()
    (tmp_path / LOCK).mkdir()
    with pytest.raises(InputError, match="can't be locked"), locked(tmp_path):
        pass


def test_where_nothing_can_be_locked_a_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On a file system without locks the command goes on, and the user is told to watch out."""
    import errno

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("epsl_opt.files.folder_lock.lock", refuse)
    with locked(tmp_path):
        pass
    assert "No locks available" in caplog.text


def test_a_folder_made_for_nothing_is_removed(tmp_path: Path) -> None:
    """A folder that was not there and holds nothing at the end is gone; one that was there, or holds a file, stays."""
    for name, there, writes in [("new", False, False), ("old", True, False), ("used", False, True)]:
        folder = tmp_path / name
        if there:
            folder.mkdir()
        with locked(folder):
            if writes:
                (folder / "file").touch()
        assert folder.exists() == (there or writes)


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_train_and_compare_refuse_a_folder_in_use(
    resume: list[str],
    instance_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """While a process holds DIR, a training there, resumed or not, and a campaign are one line and code 2."""
    register_training_toys(monkeypatch, Steady)
    folder = tmp_path / "out"
    train = ["train", instance_file, "-s", "steady", "--backend", "toy", "-t", "plane", "-n", "3", "-q", "-o"]
    compare = ["compare", instance_file, "--solvers", "steady", "-q", "-o"]
    if resume:
        assert run([*train, str(folder)]) == ExitCode.OK
    with locked(folder):
        before = sorted(folder.iterdir())
        capsys.readouterr()
        for command in ([*train, str(folder), *resume], [*compare, str(folder)]):
            assert run(command) == ExitCode.BAD_INPUT
            told = capsys.readouterr()
            assert (told.out, told.err.count("\n")) == ("", 1)
            assert f"{folder}: is in use by process {os.getpid()} on" in told.err
        assert sorted(folder.iterdir()) == before


def test_studies_share_a_folder_but_not_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study is refused where it runs already, and not where another one runs."""
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setattr(registry, "load_study", lambda name: Squares(str(log)))
    command = ["study", "squares", "--quick", "-q", "--jobs", "1", "-o", str(tmp_path)]
    with locked(tmp_path / "squares"):
        assert run(command) == ExitCode.BAD_INPUT
    assert "is in use by process" in capsys.readouterr().err
    with locked(tmp_path / "other"):
        assert run(command) == ExitCode.OK
