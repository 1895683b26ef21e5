"""`epsl-opt solve` from the outside: stdout, stderr, files, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli_toys import Noisy, register_toys, small_instance, write_instance

from epsl_opt import ScheduleDocument, check, round_latency
from epsl_opt.campaigns.ranking import COLUMNS
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.json_record import parse_record
from epsl_opt.files.json_files import read_schedule

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toy solvers are registered."""
    register_toys(monkeypatch)


def run_toys(code: str, **streams: int) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that knows the toys."""
    head = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r}); import pytest; from cli_toys import register_toys;"
        "patch = pytest.MonkeyPatch(); register_toys(patch); from epsl_opt.cli.app import run;"
    )
    arguments = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run([sys.executable, "-c", head + code], text=True, check=False, **arguments)


def test_json_on_stdout_is_the_schedule_file(
    instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stdout, the file written and a feasible schedule with a true latency are the same document."""
    output = tmp_path / "schedule.json"
    assert run(["solve", instance_file, "-s", "steady", "--format", "json", "-o", str(output)]) == ExitCode.OK
    text = capsys.readouterr().out
    assert text == output.read_text()
    document = parse_record(ScheduleDocument, json.loads(text), "stdout")
    schedule = document.schedule()
    assert schedule is not None
    assert check(small_instance(), schedule) == []
    assert document.latency_s == round_latency(small_instance(), schedule).round_latency_s


def test_solvers_own_output_never_reaches_stdout(instance_file: str) -> None:
    """T4: what a solver writes to file descriptor 1, in Python or in C, goes to stderr, and JSON stays JSON."""
    done = run_toys(f"sys.exit(run(['solve', {instance_file!r}, '-s', 'noisy', '--format', 'json']))")
    assert done.returncode == ExitCode.OK
    assert json.loads(done.stdout)["solver"] == Noisy.name
    for source in ("python", "descriptor", "C library"):
        assert f"{source} chatter" in done.stderr


@pytest.mark.parametrize(
    ("solver", "code", "said"),
    [
        ("broken", ExitCode.ERROR, "RuntimeError: the toy broke"),
        ("empty", ExitCode.NO_SCHEDULE, "time_limit"),
        ("picky", ExitCode.NO_SCHEDULE, "the toy does not like it"),
        ("cheat", ExitCode.REJECTED, "client power limit P_i"),
        ("interrupted", ExitCode.INTERRUPTED, "interrupted"),
    ],
)
def test_no_schedule_is_one_line_a_code_and_no_file(
    solver: str, code: ExitCode, said: str, instance_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a verified schedule the code says why, JSON has nulls, the output file stays as it was, even if quiet."""
    output = Path(instance_file).with_name("schedule.json")
    output.write_text("precious")
    assert run(["solve", instance_file, "-s", solver, "-f", "json", "-q", "-o", str(output)]) == code
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["latency_s"] is None
    assert document["subchannel_client"] is None
    assert said in err
    assert "Traceback" not in err
    assert err.count("\n") == 1
    assert output.read_text() == "precious"


def test_interrupted_solve_keeps_its_incumbent(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C after a schedule was found is code 0 and that schedule."""
    assert run(["solve", instance_file, "-s", "interrupted-late", "-f", "json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["stop_reason"]) == ("verified", "interrupted")


def test_infeasible_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer subchannels than clients is code 3, in these words."""
    source = write_instance(tmp_path, clients=4, subchannels=2)
    assert run(["solve", source, "-s", "steady"]) == ExitCode.INFEASIBLE
    assert "fewer subchannels than clients (2 < 4)" in capsys.readouterr().err


def test_table_has_every_client(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table names every client, the cut layer and the latency, without an escape code or a folded line."""
    assert run(["solve", instance_file, "-s", "steady"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "\x1b" not in out
    for word in ("phone-0", "phone-1", "phone-2", "early (index 0)", "stragglers", "verified"):
        assert word in out
    rows = [line for line in out.splitlines() if "phone-" in line]
    assert len(rows) == small_instance().n_clients


def test_client_table_fits_80_columns(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No line is wider than a plain terminal, or numbers would be folded there."""
    assert run(["solve", instance_file, "-s", "steady"]) == ExitCode.OK
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_csv_is_one_row_of_the_comparison(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has the columns of `compare` and the latency to the last digit."""
    assert run(["solve", instance_file, "-s", "weak", "-f", "json"]) == ExitCode.OK
    latency_s = json.loads(capsys.readouterr().out)["latency_s"]
    assert run(["solve", instance_file, "-s", "weak", "-f", "csv"]) == ExitCode.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == list(COLUMNS)
    assert [float(row["latency_s"]) for row in rows] == [latency_s]


def test_solver_options_are_passed_on(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--option K=V` reaches the solver and the provenance; an unknown key is bad input with a near match."""
    assert run(["solve", instance_file, "-s", "steady", "--option", "scale=0.25", "-f", "json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    assert document["provenance"]["options"] == {"scale": 0.25}
    assert sum(document["subchannel_power_w"]) == pytest.approx(0.25 * 2.0)
    assert run(["solve", instance_file, "-s", "steady", "--option", "scle=1"]) == ExitCode.BAD_INPUT
    assert "scale" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["missing/schedule.json", ".", "small.json"])
def test_unwritable_output_is_refused_before_solving(
    where: str, instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing folder, a folder as file, or the instance itself as output is bad input, and nothing is solved."""
    monkeypatch.setattr("epsl_opt.solving.solve.solve", pytest.fail)
    before = Path(instance_file).read_bytes()
    assert run(["solve", instance_file, "-s", "steady", "-o", str(tmp_path / where)]) == ExitCode.BAD_INPUT
    assert str(tmp_path / where) in capsys.readouterr().err
    assert Path(instance_file).read_bytes() == before


def test_quiet_is_silent(instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--quiet` leaves stderr empty when all goes well."""
    assert run(["solve", instance_file, "-s", "steady", "-q", "-o", str(tmp_path / "s.json")]) == ExitCode.OK
    assert capsys.readouterr().err == ""
    assert read_schedule(tmp_path / "s.json").solver == "steady"


def test_reader_who_leaves_is_no_error(instance_file: str) -> None:
    """A closed pipe on stdout gives the ordinary exit code and nothing on stderr."""
    read, write = os.pipe()
    os.close(read)
    done = run_toys(f"sys.exit(run(['solve', {instance_file!r}, '-s', 'steady']))", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (ExitCode.OK, "")


def on_terminal(instance_file: str, environment: str, *options: str) -> tuple[str, str]:
    """Solve with stdout and stderr on a terminal each; return what they showed."""
    ends = [pty.openpty(), pty.openpty()]
    arguments = ["solve", instance_file, "-s", "steady", *options]
    code = f"import os; os.environ.update(TERM='xterm', COLUMNS='60'); {environment}; sys.exit(run({arguments!r}))"
    done = run_toys(code, stdout=ends[0][1], stderr=ends[1][1])
    assert done.returncode == ExitCode.OK
    shown = []
    for outer, inner in ends:
        os.set_blocking(outer, False)
        os.close(inner)
        text = b""
        try:
            while chunk := os.read(outer, 65536):
                text += chunk
        except OSError:  # the other end is closed
            os.close(outer)
        shown.append(text.decode())
    return shown[0], shown[1]


def test_terminal_gets_colour_and_progress_unless_it_declines(instance_file: str) -> None:
    """On a terminal there are escape codes on stdout and progress on stderr; NO_COLOR and --quiet turn them off."""
    out, err = on_terminal(instance_file, "os.environ.pop('NO_COLOR', None)")
    assert "\x1b[" in out
    assert "steady" in err
    out, err = on_terminal(instance_file, "os.environ['NO_COLOR'] = '1'", "--quiet")
    assert "\x1b" not in out
    assert err == ""


def test_a_bound_is_proved_beside_a_solver_without_one(instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table says so, and how far from the optimum the schedule can be; neither is there with --no-bound."""
    assert run(["solve", instance_file, "-s", "steady"]) == ExitCode.OK
    assert "proved beside the solver" in capsys.readouterr().out
    assert run(["solve", instance_file, "-s", "steady", "--no-bound"]) == ExitCode.OK
    assert "proved beside the solver" not in capsys.readouterr().out
