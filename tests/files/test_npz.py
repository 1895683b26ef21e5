"""Instances as `.npz`: the same content as JSON, as strictly read."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from strategies import instances, instances_with_schedules, schedule_document, small_instance

from epsl_opt import InputError, Instance, Schedule, load_instance, read_instance, write_record
from epsl_opt.cli.app import run
from epsl_opt.core import npz_document
from epsl_opt.solving.arrivals import Folder


@given(instances())
def test_json_and_npz_hold_the_same_instance(instance: Instance) -> None:
    """From JSON to `.npz` and back, no bit of an instance changes, nor does its digest or the file."""
    with tempfile.TemporaryDirectory() as made:
        json_file, npz_file = Path(made) / "a.json", Path(made) / "a.npz"
        write_record(json_file, instance)
        write_record(npz_file, read_instance(json_file))
        again = read_instance(npz_file)
        assert again == instance
        assert again.sha256 == instance.sha256
        for name in npz_document.ARRAYS:
            assert getattr(again.channel, name).tobytes() == getattr(instance.channel, name).tobytes()
        before = json_file.read_bytes()
        write_record(json_file, again)
        assert json_file.read_bytes() == before


@pytest.fixture
def members(tmp_path: Path) -> dict[str, Any]:
    """What a valid file holds."""
    path = tmp_path / "valid.npz"
    write_record(path, small_instance())
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


GAIN = "channel.uplink_gain"
WRONG = {
    "missing member": lambda m: m.pop(GAIN),
    "unknown member": lambda m: m.update(more=np.zeros(3)),
    "must be a matrix": lambda m: m.update({GAIN: m[GAIN].ravel()}),
    "must be a matrix of little-endian float64, is <f4": lambda m: m.update({GAIN: m[GAIN].astype("<f4")}),
    "must be a matrix of little-endian float64, is >f8": lambda m: m.update({GAIN: m[GAIN].astype(">f8")}),
    "must be a matrix of little-endian float64, is |O": lambda m: m.update({GAIN: m[GAIN].astype(object)}),
    "must be UTF-8 text": lambda m: m.update(document=np.zeros(4)),
    "is not JSON": lambda m: m.update(document=np.frombuffer(b"{", dtype=np.uint8)),
    "is not UTF-8": lambda m: m.update(document=np.array([255], dtype=np.uint8)),
    "rows": lambda m: m.update({GAIN: m[GAIN][:-1]}),
    "must be finite": lambda m: m.update({GAIN: m[GAIN] * np.nan}),
    "must not be negative": lambda m: m.update({GAIN: -m[GAIN]}),
    "must not be empty": lambda m: m.update({GAIN: m[GAIN][:0]}),
    "given twice": lambda m: m.update(
        document=np.frombuffer(
            m["document"].tobytes().replace(b'"channel": {', b'"channel": {"uplink_gain": [[1]], '), dtype=np.uint8
        )
    ),
}


@pytest.mark.parametrize("problem", WRONG)
def test_wrong_members_are_refused_in_one_line(problem: str, members: dict[str, Any], tmp_path: Path) -> None:
    """A member that is missing, unknown, of another type or shape, or holds no instance, is told with the file."""
    WRONG[problem](members)
    path = tmp_path / "wrong.npz"
    np.savez(path, **members)
    with pytest.raises(InputError) as caught:
        read_instance(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert problem in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_no_part_of_a_file_is_taken_for_the_whole(tmp_path: Path) -> None:
    """A file cut off anywhere, or with a byte changed in an array, is refused in one line."""
    whole, path = tmp_path / "whole.npz", tmp_path / "part.npz"
    write_record(whole, small_instance())
    content = whole.read_bytes()
    for end in range(0, len(content), 37):
        path.write_bytes(content[:end])
        with pytest.raises(InputError, match="is no whole"):
            read_instance(path)
    middle = content.index(small_instance().channel.uplink_gain.tobytes())
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    with pytest.raises(InputError, match="is no whole"):
        read_instance(path)


def test_a_file_that_unpacks_to_more_than_a_file_may_have_is_refused(
    members: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sizes are added up before anything is unpacked; a header that claims more than there is is refused, too."""
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **members)
    assert read_instance(path) == small_instance()
    monkeypatch.setattr(npz_document, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="unpacks to more"):
        read_instance(path)
    monkeypatch.undo()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[f"{GAIN}.npy"] = _claiming(parts[f"{GAIN}.npy"], b"(999999999, 99999999)")
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.raises(InputError, match=f"{GAIN}: holds"):
        read_instance(path)


def _claiming(content: bytes, shape: bytes) -> bytes:
    """Replace the shape in a `.npy` header and keep its length."""
    start = content.index(b"'shape': ") + len(b"'shape': ")
    end = content.index(b")", start) + 1
    padding = content.index(b"\n", end)
    header = content[:start] + shape + content[end:padding].rstrip()
    return header + b" " * (padding - len(header)) + content[padding:]


@given(instances_with_schedules())
def test_only_instances_are_npz(case: tuple[Instance, Schedule]) -> None:
    """A schedule for a `.npz` name is refused, and nothing is written."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "schedule.npz"
        with pytest.raises(InputError, match="only instances"):
            write_record(path, schedule_document(*case))
        assert not path.exists()


def test_commands_take_npz(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`generate` writes `.npz`; `solve`, `check` and `show` read it; a schedule of it fits the JSON file."""
    npz, other, schedule = (str(tmp_path / name) for name in ("a.npz", "a.json", "schedule.json"))
    for path in (npz, other):
        assert run(["generate", "paper:clients=3,subchannels=6", "-o", path]) == 0
    assert load_instance(npz) == load_instance(other)
    assert run(["solve", npz, "-s", "greedy", "-o", schedule]) == 0
    assert run(["check", other, schedule]) == 0
    assert run(["show", npz]) == 0
    capsys.readouterr()


def test_watched_folders_take_npz(tmp_path: Path) -> None:
    """A `.npz` that comes into a folder is an arrival like any other."""
    write_record(tmp_path / "a.npz", small_instance())
    arrival = Folder(tmp_path).take()
    assert arrival is not None
    assert arrival.instance == small_instance()


def test_a_schedule_for_an_npz_name_is_refused_before_solving(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`solve -o x.npz` ends with one line before any work is done."""
    assert run(["solve", "paper:clients=3,subchannels=6", "-o", str(tmp_path / "x.npz")]) == 2
    assert "only instances can be .npz files" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
