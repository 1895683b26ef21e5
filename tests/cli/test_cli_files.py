"""The commands around files: check, show, export, generate, schema, plot, solvers, info."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_toys import register_toys, round_robin, small_instance, write_instance

from epsl_opt import read_instance, round_latency
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toy solvers are registered."""
    register_toys(monkeypatch)


def edit(path: str, **fields: Any) -> None:
    """Change fields of a JSON file."""
    file = Path(path)
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_check_accepts_what_solve_wrote(
    instance_file: str, schedule_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A schedule straight from `solve` is OK, with the latency that `latency.py` gives."""
    capsys.readouterr()
    assert run(["check", instance_file, schedule_file, "-f", "json"]) == ExitCode.OK
    verdict = json.loads(capsys.readouterr().out)
    expected = round_latency(small_instance(), round_robin(small_instance())).round_latency_s
    assert verdict == {"instance": "small", "ok": True, "latency_s": expected, "violations": []}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"subchannel_power_w": [1.0] * 5}, "client power limit P_i"),
        ({"subchannel_client": [0, 1, 2, 0, None]}, "no power on a free subchannel"),
        ({"subchannel_client": [0, 1, 2, 0, 7]}, "client exists"),
        ({"latency_s": 1e-3}, "latency_s"),
    ],
)
def test_check_names_what_is_violated(
    fields: dict[str, Any], name: str, instance_file: str, schedule_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A doctored schedule is code 5, and every format names the constraint or claim."""
    edit(schedule_file, **fields)
    capsys.readouterr()
    for form in ("table", "json", "csv"):
        assert run(["check", instance_file, schedule_file, "-f", form]) == ExitCode.REJECTED
        assert name in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "export", "plot"])
def test_schedule_of_another_instance_is_bad_input(
    command: str, schedule_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever both are given, a schedule for another instance is one line and code 2, and nothing is written."""
    other = write_instance(tmp_path, "other", clients=2)
    picture = tmp_path / "picture.png"
    arguments = {
        "check": ["check", other, schedule_file],
        "export": ["export", schedule_file, "--instance", other],
        "plot": ["plot", schedule_file, "--instance", other, "-o", str(picture)],
    }[command]
    capsys.readouterr()
    assert run(arguments) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert f"{schedule_file}: instance.sha256: is for another instance" in err
    assert not picture.exists()


def test_file_without_a_schedule_is_bad_input(
    instance_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document of a run that found nothing can be shown, but not checked, exported or drawn."""
    run(["solve", instance_file, "-s", "empty", "-f", "json"])
    nothing = tmp_path / "nothing.json"
    nothing.write_text(capsys.readouterr().out)
    assert run(["show", str(nothing)]) == ExitCode.OK
    for arguments in (
        ["check", instance_file, str(nothing)],
        ["export", str(nothing)],
        ["plot", str(nothing), "-o", str(tmp_path / "p.png")],
    ):
        capsys.readouterr()
        assert run(arguments) == ExitCode.BAD_INPUT
        assert str(nothing) in capsys.readouterr().err


def test_show_schedule_names_the_stragglers(schedule_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The phases add up to the latency, and the stragglers are the clients that end them."""
    capsys.readouterr()
    assert run(["show", schedule_file, "-f", "json"]) == ExitCode.OK
    shown = json.loads(capsys.readouterr().out)
    latency = round_latency(small_instance(), round_robin(small_instance()))
    assert sum(phase["duration_s"] for phase in shown["phases"]) == pytest.approx(latency.round_latency_s, rel=1e-12)
    up, down = shown["phases"][0], shown["phases"][-1]
    assert int((latency.client_forward_s + latency.uplink_s).argmax()) in up["stragglers"]
    assert int((latency.downlink_s + latency.client_backward_s).argmax()) in down["stragglers"]
    assert run(["show", schedule_file]) == ExitCode.OK
    assert "waits for" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_show_instance_lists_the_cut_layers(form: str, instance_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every cut layer is in every format."""
    assert run(["show", instance_file, "-f", form]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "early" in out
    assert "late" in out


def test_export_loses_nothing(instance_file: str, schedule_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Owners and powers read back from CSV equal the schedule to the last bit."""
    capsys.readouterr()
    assert run(["export", schedule_file, "--instance", instance_file]) == ExitCode.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    schedule = round_robin(small_instance())
    assert [int(row["client"]) for row in rows] == schedule.subchannel_client.tolist()
    assert [float(row["power_w"]) for row in rows] == schedule.subchannel_power_w.tolist()
    assert {row["client_name"] for row in rows} == {"phone-0", "phone-1", "phone-2"}


def test_export_of_clients_has_a_row_each(schedule_file: str, tmp_path: Path) -> None:
    """`--to clients-csv` has every client's stage latencies, equal to the recomputed ones."""
    output = tmp_path / "clients.csv"
    assert run(["export", schedule_file, "--to", "clients-csv", "-o", str(output)]) == ExitCode.OK
    rows = list(csv.DictReader(output.read_text().splitlines()))
    latency = round_latency(small_instance(), round_robin(small_instance()))
    assert [float(row["uplink_s"]) for row in rows] == latency.uplink_s.tolist()


def test_generate_is_repeatable_and_obeys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Options by `--option`, after a colon or on stdout give the same instance; another seed another."""
    output = tmp_path / "paper.json"
    arguments = ["--option", "clients=2", "--option", "subchannels=3", "--seed", "5"]
    assert run(["generate", "paper", *arguments, "-o", str(output)]) == ExitCode.OK
    assert run(["generate", "paper:clients=2,subchannels=3,seed=5"]) == ExitCode.OK
    assert capsys.readouterr().out == output.read_text()
    assert (read_instance(output).n_clients, read_instance(output).n_subchannels) == (2, 3)
    assert run(["generate", "paper:clients=2,subchannels=3", "--seed", "6"]) == ExitCode.OK
    assert capsys.readouterr().out != output.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["paper", "--option", "clints=2"], ["clints", "clients"]),
        (["papre"], ["papre", "paper"]),
        (["paper", "--option", "clients=-2"], ["clients", "-2"]),
        (["paper:seed=1", "--seed", "2"], ["seed"]),
        (["paper", "--option", "clients=2,seed=3"], ["clients=2,seed=3"]),
    ],
)
def test_generate_refuses_in_one_line(
    arguments: list[str], words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong scenario, option or value is code 2, named, and leaves no file behind."""
    output = tmp_path / "never.json"
    assert run(["generate", *arguments, "-o", str(output)]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert all(word in err for word in words)
    assert not output.exists()


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_scenarios_and_their_options_are_listed(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` has the scenario, `--describe` its options with defaults, in every format."""
    assert run(["generate", "--list", "-f", form]) == ExitCode.OK
    assert "paper" in capsys.readouterr().out
    assert run(["generate", "paper", "--describe", "-f", form]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "subchannels" in out
    assert "20" in out


def test_solvers_are_listed_with_their_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Every registered solver is listed with its kind; one solver shows its options."""
    assert run(["solvers", "-f", "json"]) == ExitCode.OK
    kinds = {row["solver"]: row["kind"] for row in json.loads(capsys.readouterr().out)}
    assert kinds["weak"] == "relaxation"
    assert run(["solvers", "steady"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "scale" in out
    assert "float" in out


def test_printed_schema_accepts_printed_files(
    instance_file: str, schedule_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `generate` and `solve` write is valid against what `schema` prints."""
    for kind, path in (("instance", instance_file), ("schedule", schedule_file)):
        capsys.readouterr()
        assert run(["schema", kind]) == ExitCode.OK
        jsonschema.validate(json.loads(Path(path).read_text()), json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_info_names_versions(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The package, Python and optional packages are in every format."""
    assert run(["info", "-f", form]) == ExitCode.OK
    out = capsys.readouterr().out
    assert all(word in out for word in ("epsl-opt", "python", "torch"))


@pytest.mark.parametrize("kind", ["allocation", "gantt"])
def test_plot_writes_the_picture(kind: str, schedule_file: str, instance_file: str, tmp_path: Path) -> None:
    """`plot` writes a PNG; another suffix is refused."""
    output = tmp_path / "picture.png"
    arguments = ["plot", schedule_file, "--kind", kind, "--instance", instance_file]
    assert run([*arguments, "-o", str(output)]) == ExitCode.OK
    assert output.read_bytes().startswith(b"\x89PNG")
    assert run([*arguments, "-o", str(tmp_path / "picture.bmp")]) == ExitCode.BAD_INPUT


@pytest.mark.parametrize(
    ("arguments", "fields", "field"),
    [
        (["show"], {"marginal_values": {"subchannel_s": [1]}}, "provenance.marginal_values.total_uplink_power_s_per_w"),
        (["show", "-f", "json"], {"marginal_values": {"\x1b": 1}}, "provenance.marginal_values."),
        (["show"], {"marginal_values": 1}, "provenance.marginal_values"),
        (["show"], {"build_s": 10**310}, "provenance"),
        (["plot", "-k", "gap"], {"trace": [[1]]}, "provenance.trace"),
        (["plot", "-k", "gap"], {"trace": None}, "provenance.trace"),
        (["plot", "-k", "gap"], {"trace": [[2, 1, 1], [1, 1, 1]]}, "provenance.trace"),
    ],
)
def test_what_is_wrong_inside_the_provenance_is_named_with_its_file(
    arguments: list[str], fields: dict[str, Any], field: str, schedule_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad entry of the free-form part of a schedule is told as `file: field: problem`."""
    edit(schedule_file, provenance=json.loads(Path(schedule_file).read_text())["provenance"] | fields)
    output = ["-o", str(Path(schedule_file).with_name("p.png"))] if arguments[0] == "plot" else []
    capsys.readouterr()
    assert run([*arguments, schedule_file, *output]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.startswith(f"epsl-opt: error: {schedule_file}: {field}")
    assert err.count("\n") == 1


def test_standard_input_is_an_instance(
    instance_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads the instance from standard input, and errors say so."""
    monkeypatch.setattr("sys.stdin", io.StringIO(Path(instance_file).read_text()))
    assert run(["show", "-", "-f", "json"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["sha256"] == small_instance().sha256
    monkeypatch.setattr("sys.stdin", io.StringIO("{"))
    assert run(["show", "-"]) == ExitCode.BAD_INPUT
    assert "standard input: is not JSON" in capsys.readouterr().err
