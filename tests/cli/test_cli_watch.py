"""`epsl-opt solve --watch` from the outside: lines, files, options, Ctrl-C."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_toys import register_toys, small_instance, write_instance

from epsl_opt import Limits, check
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.defaults import LIVE_SOLVER
from epsl_opt.files.json_files import read_schedule
from epsl_opt.solving.arrivals import Folder
from epsl_opt.solving.live import Rescheduler
from epsl_opt.solving.watch import LEAST_SHARE, Station


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with instances a, b and c, and a folder for schedules that is not there yet."""
    gains = tmp_path / "gains"
    gains.mkdir()
    for name in "abc":
        write_instance(gains, name)
    return gains, tmp_path / "schedules"


@pytest.fixture
def watched(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The arguments of a watch with a toy solver that ends by itself."""
    register_toys(monkeypatch)
    return ["solve", "--watch", str(folders[0]), "-o", str(folders[1]), "-s", "steady", "--until-empty"]


def test_every_file_gets_its_schedule(
    watched: list[str], folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each instance file has a verified schedule file, the last also as latest.json, and a line; a summary ends it."""
    assert run([*watched, "-f", "json"]) == ExitCode.OK
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [Path(record["file"]).stem for record in records] == ["a", "b", "c"]
    for record in records:
        document = read_schedule(record["output"])
        schedule = document.schedule()
        assert schedule is not None
        instance = small_instance(Path(record["file"]).stem)
        assert document.instance.sha256 == instance.sha256
        assert check(instance, schedule) == []
        assert record["latency_s"] == document.latency_s
        parts = sum(record[f"{part}_s"] for part in ("wait", "read", "build", "solve", "judge", "write"))
        assert parts <= record["reaction_s"] + 1e-3
    assert (folders[1] / "latest.json").read_bytes() == (folders[1] / "c.schedule.json").read_bytes()
    assert sorted(path.name for path in folders[1].iterdir()) == [*(f"{n}.schedule.json" for n in "abc"), "latest.json"]
    assert "3 schedules" in err
    assert "p99" in err


def test_lines_and_csv_say_the_same(watched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has one header and a row per file, the table a line per file."""
    assert run([*watched, "-f", "csv", "-q"]) == ExitCode.OK
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["status"] for row in rows] == ["verified"] * 3
    assert err == ""
    assert run([*watched, "-q"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["a.json", "b.json", "c.json"]


@pytest.mark.parametrize(("options", "starts"), [([], ["cold", "warm", "warm"]), (["--cold"], ["cold"] * 3)])
def test_solves_start_from_the_last_schedule(
    folders: tuple[Path, Path], options: list[str], starts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The first solve is cold, later ones are warm; with --cold all are cold."""
    arguments = ["solve", "--watch", str(folders[0]), "-o", str(folders[1]), "-s", "greedy", "--watch-count", "3"]
    assert run([*arguments, "-f", "json", *options]) == ExitCode.OK
    assert [json.loads(line)["start"] for line in capsys.readouterr().out.splitlines()] == starts


def test_the_loop_goes_on_after_a_bad_file(
    watched: list[str], folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong and an infeasible instance are a line each on stderr and have no schedule; the others have theirs."""
    (folders[0] / "b.json").write_text('{"format": "epsl-opt/instance", "version": 2}')
    write_instance(folders[0], "a2", clients=9, subchannels=2)
    assert run([*watched, "-f", "json"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["verified", "none", "verified"]
    assert err.count("\n") == 3
    assert "b.json: version: must be 1, got 2" in err
    assert "fewer subchannels than clients (2 < 9)" in err
    assert not (folders[1] / "a2.schedule.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["paper", "--watch", "gains", "-o", "out"], "not both"),
        (["--watch", "gains"], "--output"),
        (["--watch", "gains", "-o", "gains"], "is the folder that is watched"),
        (["--watch", "gains", "-o", "gains/a.json"], "gains/a.json"),
        (["--watch", "missing", "-o", "out"], "missing: No such file"),
        (["--watch", "gains", "-o", "out", "--deadline", "-1"], "--deadline"),
        (["--watch", "gains", "-o", "out", "--option", "scale=x"], "scale"),
        (["paper", "--every"], "--every is for --watch"),
        (["paper", "--watch-count", "1"], "--watch-count is for --watch"),
        ([], "INSTANCE"),
    ],
)
def test_wrong_use_is_one_line(
    arguments: list[str],
    said: str,
    watched: list[str],
    folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What can't be watched, written to or combined is refused at the start, in one line, with code 2."""
    monkeypatch.chdir(folders[0].parent)
    assert watched
    assert run(["solve", "-s", "steady", *arguments]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert said in err
    assert err.count("\n") == 1
    assert out == ""


def test_the_deadline_limits_the_solver(folders: tuple[Path, Path]) -> None:
    """A solver gets what is left until the deadline, at least its share of it, and never more than the time limit."""
    given: list[float] = []

    class Spy(Rescheduler):
        def solve(self, instance, limits=None):
            given.append(limits.time_s)
            return super().solve(instance, limits)

    for limit_s in (60.0, 1.0):
        arrival = Folder(folders[0]).take()
        assert arrival is not None
        Station(Spy("greedy"), folders[1], Limits(time_s=limit_s), deadline_s=10.0).react(arrival)
    assert LEAST_SHARE * 10.0 <= given[0] < 10.0
    assert given[1] == 1.0


def test_ctrl_c_ends_it_with_a_summary(tmp_path: Path) -> None:
    """Files that come while it runs are solved within the loop; Ctrl-C ends it with code 0 and quantiles on stderr."""
    gains, ready = tmp_path / "gains", tmp_path / "ready"
    for folder in (gains, ready):
        folder.mkdir()
    command = [sys.executable, "-u", "-c", "from epsl_opt.cli import main; main()", "solve", "--watch", str(gains)]
    command += ["-s", "greedy", "-o", str(tmp_path / "out"), "-f", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as loop:
        assert loop.stdout is not None
        for name in ("one", "two"):
            path = Path(write_instance(ready, name))
            path.rename(gains / path.name)
            record = json.loads(loop.stdout.readline())
            assert Path(record["file"]).stem == name
            latest = read_schedule(tmp_path / "out" / "latest.json")
            assert latest.instance.name == name
        loop.send_signal(signal.SIGINT)
        out, err = loop.communicate(timeout=60)
    assert loop.returncode == ExitCode.OK
    assert out == ""
    assert "2 schedules, 1 from the one before" in err
    assert "p50" in err
    assert "Traceback" not in err


def test_missed_deadlines_are_told(watched: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A schedule later than the deadline says so in its line and its record, and the summary counts them."""
    assert run([*watched, "--deadline", "1e-6"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert all("MISSED the deadline by" in line for line in out.splitlines())
    assert "3 of 3 missed the deadline" in err
    for deadline, missed in (("1e-6", True), ("1000", False)):
        assert run([*watched, "--every", "--deadline", deadline, "-f", "json"]) == ExitCode.OK
        out, err = capsys.readouterr()
        assert [json.loads(line)["missed"] for line in out.splitlines()] == [missed] * 3
    assert "0 of 3 missed the deadline" in err


def test_without_a_solver_one_that_holds_the_deadline_is_taken(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A watch without --solver is by `LIVE_SOLVER`; one that is given, be it the default elsewhere, is taken."""
    watch = ["solve", "--watch", str(folders[0]), "-o", str(folders[1]), "--until-empty", "-q"]
    for given, expected in (([], LIVE_SOLVER), (["-s", "exact"], "exact")):
        assert run([*watch, *given]) == ExitCode.OK
        assert read_schedule(folders[1] / "latest.json").solver == expected
    capsys.readouterr()
