"""A folder of arriving instance files: order, stale ones, half-written ones, wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_toys import small_instance, write_instance

from epsl_opt import InputError, Instance
from epsl_opt.solving.arrivals import Folder


def put(folder: Path, name: str, age_s: float = 0.0) -> Path:
    """Rename an instance into the folder, as if written a while ago."""
    path = Path(write_instance(folder.parent, name))
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - int(age_s * 1e9)))
    return path.rename(folder / path.name)


def names(folder: Folder) -> list[str]:
    """Take all that is there."""
    return [arrival.instance.name for arrival in iter(folder.take, None)]


@pytest.fixture
def gains(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "gains"
    made.mkdir()
    return made


@pytest.mark.parametrize("every", [False, True])
def test_what_is_there_comes_in_the_order_of_names(gains: Path, every: bool) -> None:
    """Files that are there at first are all taken, by name, whatever their times; then there is nothing more."""
    for name, age_s in (("b", 5), ("a", 1), ("c", 9)):
        put(gains, name, age_s)
    folder = Folder(gains, every)
    assert names(folder) == ["a", "b", "c"]
    assert folder.take() is None
    assert folder.is_empty


def test_the_newest_wins(gains: Path) -> None:
    """Of later files the newest is taken; it leaves out the older ones and what is left from the beginning."""
    for name in ("a", "b"):
        put(gains, name)
    folder = Folder(gains)
    first = folder.take()
    assert first is not None
    assert (first.instance.name, first.skipped) == ("a", 0)
    for name in ("z", "y", "x"):
        put(gains, name)
    newest = folder.take()
    assert newest is not None
    assert (newest.instance.name, newest.skipped) == ("x", 3)
    assert folder.is_empty


def test_every_file_in_the_order_of_arrival(gains: Path) -> None:
    """With `every`, later files follow the first ones in the order in which they came, and none is left out."""
    put(gains, "m")
    folder = Folder(gains, every=True)
    for name in ("z", "y", "x"):
        put(gains, name)
    assert names(folder) == ["m", "z", "y", "x"]


def test_a_moved_file_came_when_it_was_moved(gains: Path) -> None:
    """A file that was written long ago and moved here just now has just come."""
    folder = Folder(gains)
    put(gains, "old", age_s=3600)
    arrival = folder.take()
    assert arrival is not None
    assert 0 <= arrival.wait_s < 600


def test_a_replaced_file_is_new(gains: Path) -> None:
    """The same name with another content is taken again, the same content is not."""
    put(gains, "a")
    folder = Folder(gains)
    assert names(folder) == ["a"]
    put(gains, "a", age_s=-7)
    assert names(folder) == ["a"]
    assert names(folder) == []


def test_a_half_written_file_is_waited_for(gains: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is no JSON yet is taken once it is; others are taken meanwhile, and nothing is said."""
    folder = Folder(gains)
    whole = Path(write_instance(gains.parent, "slow")).read_bytes()
    (gains / "slow.json").write_bytes(whole[:500])
    assert folder.take() is None
    assert not folder.is_empty
    (gains / "slow.json").write_bytes(whole[:900])
    assert folder.take() is None
    (gains / "slow.json").write_bytes(whole)
    assert names(folder) == ["slow"]
    assert folder.faults == 0
    assert caplog.text == ""


@pytest.mark.parametrize("content", [b"", b'{"format": ', b"\xff\xfe"])
def test_a_file_that_stays_broken_is_given_up(
    gains: Path, content: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no JSON and does not change any more is one line that names the file, once; the others go on."""
    (gains / "broken.json").write_bytes(content)
    put(gains, "good")
    folder = Folder(gains)
    assert names(folder) == ["good"]
    monkeypatch.setattr("epsl_opt.solving.arrivals.SETTLED_S", -1.0)
    assert folder.take() is None
    assert folder.take() is None
    assert folder.is_empty
    assert folder.faults == 1
    assert len(caplog.messages) == 1
    assert str(gains / "broken.json") in caplog.text


def test_a_file_that_is_no_instance_is_told_at_once(gains: Path, caplog: pytest.LogCaptureFixture) -> None:
    """JSON with a wrong field is one line with file and field."""
    document = small_instance().to_document()
    document["clients"][1]["max_power_w"] = -1.0
    from epsl_opt.core.json_text import format_json

    (gains / "wrong.json").write_text(format_json(document))
    folder = Folder(gains)
    assert folder.take() is None
    assert folder.faults == 1
    assert [f"{gains / 'wrong.json'}: clients[1].max_power_w" in message for message in caplog.messages] == [True]


def test_what_is_no_instance_file_is_left_alone(gains: Path) -> None:
    """Hidden files, other suffixes and folders are no arrivals."""
    (gains / "folder.json").mkdir()
    for name in (".part.json", "notes.txt", "a.json.tmp"):
        (gains / name).write_text("not for us")
    assert Folder(gains).is_empty


def test_a_file_that_goes_away_is_forgotten(gains: Path) -> None:
    """A broken file that is deleted before it has settled is neither waited for nor told."""
    (gains / "brief.json").write_text("{")
    folder = Folder(gains)
    assert folder.take() is None
    (gains / "brief.json").unlink()
    assert folder.is_empty
    assert folder.faults == 0


def test_what_cannot_be_prepared_is_a_fault(gains: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An instance that the caller's preparation refuses is told with its file, and the others go on."""

    def refuse(instance: Instance) -> Instance:
        if instance.name == "a":
            raise InputError("model toy", "no such cut layer")
        return instance

    put(gains, "a")
    put(gains, "b")
    folder = Folder(gains, prepare=refuse)
    assert names(folder) == ["b"]
    assert f"{gains / 'a.json'}: model toy: no such cut layer" in caplog.text


def test_no_folder_is_bad_input(tmp_path: Path) -> None:
    """A folder that is not there, or goes away, is an error that names it."""
    with pytest.raises(InputError, match="nowhere"):
        Folder(tmp_path / "nowhere")
    made = tmp_path / "brief"
    made.mkdir()
    folder = Folder(made)
    made.rmdir()
    with pytest.raises(InputError, match="brief"):
        folder.take()
