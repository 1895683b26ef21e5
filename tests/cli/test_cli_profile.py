"""`epsl-opt profile` with a toy backend."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cli_toys import FakeEntry, small_instance
from training_toys import Absent, ToyBackend

from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Client, ModelProfile
from epsl_opt.plugins import registry
from epsl_opt.plugins.backend import LayerTime, Measurement
from epsl_opt.problems import model_profiles
from epsl_opt.problems.paper_options import PaperOptions

LAYERS = (LayerTime("early", 0.25, 0.5, 2e9, 1e9), LayerTime("late", 0.125, 0.125, 0.0, 1e9))


class Profiler(ToyBackend):
    """Knows one network."""

    name = "profiler"

    def profile(self, network: str, input_shape: tuple[int, ...], classes: int) -> ModelProfile:
        """Name the profile after what was asked."""
        if network != "net":
            raise InputError("network", f"unknown name {network!r}; did you mean net?")
        print("a network that talks")
        shape = "x".join(map(str, input_shape))
        return small_instance().model.model_copy(update={"name": f"{network} {shape} {classes}"})

    def measure(self, network: str, input_shape: tuple[int, ...], classes: int, batch_size: int) -> Measurement:
        """Measure nothing in no time."""
        return Measurement(LAYERS, batch_size, 2**30)


@pytest.fixture(autouse=True)
def backends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the toys, the profiler under the name of the default backend."""
    genuine = registry._entries
    entries: dict[str, Any] = {"torch": FakeEntry(Profiler), "absent": FakeEntry(Absent)}
    monkeypatch.setattr(registry, "_entries", lambda group: entries if group == registry.BACKENDS else genuine(group))


def profile(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Run the command and return what it prints."""
    assert run(["profile", "net", "--input", "3,8,8", *options]) == ExitCode.OK
    return capsys.readouterr().out


def test_json_is_the_profile_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--format json` prints what `-o` writes, and the reader of profiles takes it."""
    path = tmp_path / "profile.json"
    printed = profile(capsys, "--classes", "4", "--format", "json", "-o", str(path))
    assert printed == path.read_text(encoding="utf-8")
    assert model_profiles.read(path) == Profiler().profile("net", (3, 8, 8), 4)


def test_scenario_takes_the_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A written profile is the model of an instance generated with `--option model=FILE`."""
    path = tmp_path / "profile.json"
    profile(capsys, "-o", str(path))
    assert run(["generate", "paper", "--option", f"model={path}"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["model"] == json.loads(path.read_text(encoding="utf-8"))


def test_measuring_makes_a_client(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--measure` gives layers and a client that an instance takes as it is."""
    path = tmp_path / "client.json"
    told = ("--client-name", "pi4", "--client-power-dbm", "20", "--client-samples", "77", "--client-output", str(path))
    found = json.loads(profile(capsys, "--measure", "--batch-size", "16", *told, "--format", "json"))
    client = Client.model_validate(json.loads(path.read_text(encoding="utf-8")))
    assert client == Client.model_validate(found["client"])
    assert small_instance().replace(clients=(client,) * 3).clients[0].name == "pi4"
    assert (client.max_power_w, client.samples) == (pytest.approx(0.1), 77)
    assert client.cycles_per_s / client.cycles_per_flop == pytest.approx(4e9)
    assert found["profile"]["name"] == "net 3x8x8 10"
    assert (found["measurement"]["batch_size"], len(found["measurement"]["layers"])) == (16, 2)


def test_tables_tell_speed_only_where_there_are_flops(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has every cut, and GFLOP/s of every layer that has FLOPs."""
    lines = profile(capsys, "--measure").splitlines()
    cells = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    assert cells["early"] == ["250", "500", "8", "2"]
    assert cells["late"] == ["125", "125", "-", "8"]
    assert cells["0"][0] == "early"
    assert cells["computes"] == ["4", "GFLOP/s"]
    assert cells["peak"] == ["memory", "1024", "MiB"]


def test_csv_has_cuts_or_layers(capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has a row per cut layer, or with `--measure` per layer, with every digit."""
    cuts = list(csv.DictReader(io.StringIO(profile(capsys, "--format", "csv"))))
    assert [row["name"] for row in cuts] == ["early", "late"]
    assert float(cuts[1]["client_forward_flops"]) == small_instance().model.cut_layers[1].client_forward_flops
    layers = list(csv.DictReader(io.StringIO(profile(capsys, "--format", "csv", "--measure"))))
    assert [float(row["forward_s"]) for row in layers] == [0.25, 0.125]


def test_defaults_of_a_client_are_the_scenarios(capsys: pytest.CaptureFixture[str]) -> None:
    """Without options the client has the transmit power and the samples of the scenario `paper`."""
    paper = PaperOptions()
    client = json.loads(profile(capsys, "--measure", "--format", "json"))["client"]
    assert (client["name"], client["samples"]) == ("measured", paper.samples)
    assert client["max_power_w"] == 10 ** (paper.client_power_dbm / 10 - 3)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["net"], "Missing option '--input'"),
        (["net", "--input", "3,x"], "'--input': must look like 3,64,64"),
        (["net", "--input", "3,0"], "'--input': must be lengths of at least 1"),
        (["nat", "--input", "3"], "network: unknown name 'nat'; did you mean net?"),
        (["net", "--input", "3", "--backend", "absent"], 'backend absent: torch not installed; pip install "epsl'),
        (["net", "--input", "3", "--backend", "tpu"], "backend: unknown name 'tpu'"),
        (["net", "--input", "3", "--batch-size", "4"], "--batch-size needs --measure"),
        (["net", "--input", "3", "--client-output", "c.json"], "--client-output needs --measure"),
        (["net", "--input", "3", "--measure", "--client-name", ""], "client: name: "),
        (["net", "--input", "3", "--measure", "--client-power-dbm", "nan"], "client: max_power_w: "),
        (["net", "--input", "3", "--measure", "--client-output", "none/c.json"], "none/c.json: folder 'none' does not"),
        (["net", "--input", "3", "-o", "none/p.json"], "none/p.json: folder 'none' does not exist"),
    ],
)
def test_wrong_use_is_one_line(
    options: list[str],
    problem: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong use is told in one line, with exit code 2, and writes nothing."""
    monkeypatch.chdir(tmp_path)
    assert run(["profile", *options]) == ExitCode.BAD_INPUT
    told = capsys.readouterr()
    assert problem in told.err
    assert (told.err.count("\n"), told.out, list(tmp_path.iterdir())) == (1, "", [])


def test_configuration_for_all_commands_needs_no_measuring(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A batch size in a configuration file that is meant for other commands is no error."""
    config = tmp_path / "epsl.toml"
    config.write_text("batch-size = 32\n[profile]\ninput = '3,8,8'\n")
    assert run(["--config", str(config), "profile", "net", "--format", "json"]) == ExitCode.OK
    arguments = ["--config", str(config), "profile", "net", "--format", "json", "--measure"]
    capsys.readouterr()
    assert run(arguments) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["measurement"]["batch_size"] == 32
