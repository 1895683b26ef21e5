"""`epsl-opt study`: what it lists, runs, writes, refuses, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from cli_toys import FakeEntry
from study_toys import Cubes, Mute, Squares, register_studies

from epsl_opt.campaigns.engines import ThisProcess
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.plugins import registry
from epsl_opt.plugins.study import Point


class Roots(Squares):
    """The same under another name."""

    name = "roots"


class Broken(Squares):
    """Fails at one point."""

    name = "broken"

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Fail at 1."""
        if point["x"] == 1:
            raise RuntimeError("no such\nsquare")
        return super().run(point)


class Interrupting(Squares):
    """Presses Ctrl-C at its second point."""

    name = "interrupting"

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Be stopped."""
        if point["x"] == 1:
            raise KeyboardInterrupt
        return super().run(point)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run points in this process, and know the toy studies only."""
    monkeypatch.setattr("epsl_opt.campaigns.engines.open_engine", lambda *asked, **how: ThisProcess())
    register_studies(monkeypatch, Squares, Roots, Cubes, Mute, Broken, Interrupting)


def study(folder: Path, *arguments: str) -> int:
    """Run `epsl-opt study` into a folder."""
    return run(["study", *arguments, "--quick", "-o", str(folder), "--jobs", "1"])


def test_without_names_the_studies_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each study is listed with its question and what it lacks here, and nothing is run."""
    assert run(["study"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert 'squares       What is a "square"?' in text
    assert "cubes take a third dimension" in text
    assert run(["study", "--format", "json"]) == ExitCode.OK
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(listed) == {"squares", "roots", "cubes", "mute", "broken", "interrupting"}
    assert listed["squares"] == {
        "name": "squares", "title": Squares.title, "question": Squares.question, "missing": None,
    }  # fmt: skip
    assert listed["cubes"]["missing"] == "cubes take a third dimension"


def test_a_study_that_does_not_load_is_listed_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plug-in that does not import is listed with the reason, left out by --all, and refused by name."""
    entries = {"squares": FakeEntry(Squares), "torn": EntryPoint("torn", "epsl_opt_absent:Torn", "any")}
    monkeypatch.setattr(registry, "_entries", lambda group: entries)
    assert run(["study", "-f", "json"]) == ExitCode.OK
    listed = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert "No module named 'epsl_opt_absent'" in listed["torn"]["missing"]
    assert study(tmp_path, "--all") == ExitCode.OK
    out, err = capsys.readouterr()
    assert "squares grow" in out
    assert "study torn: " in err
    assert study(tmp_path, "torn") == ExitCode.BAD_INPUT


def test_a_study_writes_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder of the study's name has its files and its points, and the findings are on standard output."""
    assert study(tmp_path, "squares") == ExitCode.OK
    out, err = capsys.readouterr()
    assert "squares grow" in out
    assert "chatter" not in out
    assert f"wrote {tmp_path / 'squares'}" in err
    assert {path.name for path in (tmp_path / "squares").iterdir()} >= {"section.json", "rows.csv", "points"}
    assert len(list((tmp_path / "squares" / "points").glob("*.json"))) == 3


def test_json_is_the_sections_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--format json` gives one list, with each study's section as it is in its file, in the order asked for."""
    assert study(tmp_path, "squares", "roots", "squares", "-f", "json") == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert [section["study"] for section in found] == ["squares", "roots"]
    assert found == [json.loads((tmp_path / name / "section.json").read_text()) for name in ("squares", "roots")]


def test_what_is_there_is_told_and_not_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second time, the command says that all points were there."""
    study(tmp_path, "squares")
    capsys.readouterr()
    assert study(tmp_path, "squares") == ExitCode.OK
    assert "squares: 3 of 3 points were there already" in capsys.readouterr().err
    assert study(tmp_path, "squares", "-q") == ExitCode.OK
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["squars"], ["study", "'squars'", "did you mean squares?"]),
        (["squares", "zzz"], ["study", "'zzz'", "there are: broken, cubes, interrupting, mute, roots, squares"]),
        (["squares", "--all"], ["--all or names"]),
        (["cubes"], ["study cubes: cubes take a third dimension"]),
        (["squares", "cubes"], ["study cubes: cubes take a third dimension"]),
        (["squares", "--jobs", "0"], ["--jobs"]),
    ],
    ids=str,
)
def test_what_can_not_be_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], parts: list[str]
) -> None:
    """An unknown name, names beside --all, or a study that lacks something ends with code 2 before anything is run."""
    assert run(["study", *arguments, "-o", str(tmp_path / "out")]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert all(part in err for part in parts)
    assert not (tmp_path / "out").exists()


def test_all_leaves_out_what_can_not_run_and_goes_on_after_failures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --all, a study that lacks something, fails or can't conclude is told, and the others are run."""
    register_studies(monkeypatch, Broken, Cubes, Mute, Squares)
    assert study(tmp_path, "--all", "-f", "json") == ExitCode.ERROR
    out, err = capsys.readouterr()
    assert [section["study"] for section in json.loads(out)] == ["broken", "squares"]
    assert json.loads(out)[0]["failures"] == ["{'x': 1}: RuntimeError: no such\\nsquare"]
    assert "study cubes: cubes take a third dimension" in err
    assert "study mute can't conclude: ZeroDivisionError: nothing to divide" in err
    assert "study broken: {'x': 1}: RuntimeError: no such" in err
    assert not (tmp_path / "cubes").exists()


def test_all_that_can_run_is_a_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A study left out by --all is told, and does not change the exit code."""
    register_studies(monkeypatch, Cubes, Squares)
    assert study(tmp_path, "--all") == ExitCode.OK
    assert "study cubes" in capsys.readouterr().err


def test_an_interrupt_ends_with_130_and_the_rest_is_left_for_the_next_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C keeps finished points, writes no section, runs no further study, and says how to go on."""
    assert study(tmp_path, "interrupting", "squares", "-f", "json") == ExitCode.INTERRUPTED
    out, err = capsys.readouterr()
    assert json.loads(out) == []
    assert "interrupted after 1 of 3 points" in err
    assert len(list((tmp_path / "interrupting" / "points").glob("*.json"))) == 1
    assert not (tmp_path / "interrupting" / "section.json").exists()
    assert not (tmp_path / "squares").exists()


def test_a_folder_that_can_not_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A place below a file is bad input, one line."""
    (tmp_path / "file").write_text("")
    assert study(tmp_path / "file", "squares") == ExitCode.BAD_INPUT
    assert str(tmp_path / "file") in capsys.readouterr().err
