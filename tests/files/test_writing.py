"""Where results go: files are replaced whole, what is no file is written to, and a killed writer leaves nothing."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from epsl_opt import InputError
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.files.writing import refuse_unwritable, write_bytes

HOLD = """
import sys
from pathlib import Path
from epsl_opt.files.draft import draft
with draft(Path(sys.argv[1])) as (file, path):
    file.write(b"half")
    file.flush()
    print(path, flush=True)
    sys.stdin.read()
    path.replace(sys.argv[1])
"""


@contextmanager
def writer(target: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run a process that stands in the middle of writing `target`; it goes on when its input ends."""
    command = [sys.executable, "-c", HOLD, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    """Every command that writes with -o writes to a device and leaves it one."""
    device = tmp_path / "null.png"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    small, schedule = "paper:clients=2,subchannels=3", str(tmp_path / "s.json")
    assert run(["solve", small, "-s", "greedy", "-q", "-o", schedule]) == ExitCode.OK
    for arguments in (
        ["solve", small, "-s", "greedy"],
        ["generate", small],
        ["export", schedule],
        ["plot", schedule],
    ):
        assert run([*arguments, "-q", "-o", str(device)]) == ExitCode.OK
        assert stat.S_ISCHR(device.stat().st_mode)
    assert names(tmp_path) == ["null.png", "s.json"]


def test_a_fifo_passes_all_on(tmp_path: Path) -> None:
    """Who reads a FIFO gets every byte, and the FIFO stays one, even through a link."""
    fifo, link, content = tmp_path / "fifo", tmp_path / "link", bytes(range(256)) * 1000
    os.mkfifo(fifo)
    link.symlink_to(fifo)
    refuse_unwritable(str(link))
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    write_bytes(link, content)
    reader.join()
    assert got == [content]
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert link.is_symlink()


@pytest.mark.parametrize("exists", [True, False])
def test_the_end_of_a_link_is_replaced(tmp_path: Path, exists: bool) -> None:
    """Links in a chain, relative ones too, stay; the file at their end is replaced in its own folder, or made there."""
    (tmp_path / "deep").mkdir()
    end, first, second = tmp_path / "deep" / "end.json", tmp_path / "first", tmp_path / "second"
    if exists:
        end.write_bytes(b"old")
        end.chmod(0o640)
    first.symlink_to("deep/end.json")
    second.symlink_to("first")
    write_bytes(second, b"new")
    assert first.is_symlink()
    assert second.is_symlink()
    assert end.read_bytes() == b"new"
    assert not exists or end.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path / "deep") == ["end.json"]


def test_an_open_descriptor_is_written_to(tmp_path: Path) -> None:
    """`/dev/fd/N` goes on where the descriptor stands, be it a pipe or a file, which is not replaced."""
    path = tmp_path / "out.txt"
    with path.open("wb") as file:
        file.write(b"before ")
        file.flush()
        for name in (f"/dev/fd/{file.fileno()}", f"/proc/self/fd/{file.fileno()}"):
            if Path(name).exists():
                refuse_unwritable(name)
                write_bytes(name, b"inside ")
        file.write(b"after")
    assert path.read_bytes().replace(b"inside ", b"") == b"before after"
    assert b"inside" in path.read_bytes()
    with path.open("rb") as file, pytest.raises(InputError, match="reading only"):
        refuse_unwritable(f"/dev/fd/{file.fileno()}")


def bad_places(folder: Path) -> dict[str, str]:
    """Return outputs that can't be, and what is said of them."""
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    (folder / "file").write_text("x")
    return {
        str(folder): "is a folder",
        str(folder / "a"): "symbolic links",
        str(folder / "none" / "x"): "does not exist",
        str(folder / "file" / "x"): "",
        str(folder / ("x" * 256)): "name too long",
        str(folder / ("é" * 128)): "name too long",
        str(folder / "a\0b"): "null byte",
        str(folder / "\ud800"): "surrogates",
        "/proc/never": "",
    }


def test_what_can_not_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    """A folder, a loop of links, a name that no file can have: one line with the place's name, and nothing changes."""
    for place, problem in bad_places(tmp_path).items():
        for act in (refuse_unwritable, lambda place: write_bytes(place, b"new")):
            with pytest.raises(InputError) as caught:
                act(place)
            assert caught.value.source == place
            assert problem in str(caught.value).lower() or act is not refuse_unwritable
    assert names(tmp_path) == ["a", "b", "file"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "\U0001d54f" * 63])
def test_every_name_that_a_file_can_have_will_do(tmp_path: Path, name: str) -> None:
    """Names as long as the file system takes them are written, too: the draft's is not longer."""
    refuse_unwritable(str(tmp_path / name))
    write_bytes(tmp_path / name, b"new")
    assert names(tmp_path) == [name]


def test_the_umask_is_respected(tmp_path: Path) -> None:
    """A new file is as private as the user wants."""
    before = os.umask(0o077)
    try:
        write_bytes(tmp_path / "secret.json", b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "secret.json").stat().st_mode & 0o777 == 0o600


def test_the_next_writer_removes_what_killed_ones_left(tmp_path: Path) -> None:
    """Writers killed in the middle leave the old content, and the next one clears all of their drafts away."""
    target = tmp_path / "result.json"
    target.write_bytes(b"old")
    with writer(target) as (one, first), writer(target) as (two, second):
        assert first != second
        for process in (one, two):
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert target.read_bytes() == b"old"
    assert len(names(tmp_path)) == 3
    write_bytes(target, b"new")
    assert names(tmp_path) == ["result.json"]
    assert target.read_bytes() == b"new"


def test_the_draft_of_a_living_writer_stays(tmp_path: Path) -> None:
    """Another process's draft is never taken away, and both writes are whole in the order in which they end."""
    target = tmp_path / "result.json"
    with writer(target) as (process, path):
        write_bytes(target, b"mine")
        assert target.read_bytes() == b"mine"
        assert path.read_bytes() == b"half"
        assert process.stdin is not None
        process.stdin.close()
    assert process.returncode == 0
    assert target.read_bytes() == b"half"
    assert names(tmp_path) == ["result.json"]


def test_writers_side_by_side_are_whole(tmp_path: Path) -> None:
    """Threads that write one file at a time leave the content of one of them, and nothing else."""
    target = tmp_path / "result.json"
    contents = [bytes([65 + number]) * 5000 for number in range(12)]

    def write(content: bytes) -> None:
        for _ in range(20):
            write_bytes(target, content, durable=False)
            assert target.read_bytes() in contents

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents
    assert names(tmp_path) == ["result.json"]
