"""`epsl-opt train` and `compare --train` with the torch backend, from the command line to the files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from epsl_opt import read_instance, read_schedule
from epsl_opt.cli.app import run
from epsl_opt.core.frameworks import round_latencies_s

TASK = "synthetic:samples=200,size=4,classes=3"
TRAIN = [
    "train",
    "paper:clients=3,subchannels=6,batch_size=6",
    "--task",
    TASK,
    "--network",
    "mlp",
    "--evaluate-every",
    "2",
]
OPTIONS = ["--option", "partition=dirichlet", "--option", "aggregation=representative", "--option", "optimizer=adam"]


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """Return the numbers in a training's checkpoint."""
    return safetensors.torch.load((folder / "checkpoint.safetensors").read_bytes())


def test_resumed_equals_uninterrupted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four rounds and two more after --resume leave the same records and weights, bit for bit, as six at once."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert run([*TRAIN, *OPTIONS, "--rounds", "6", "-o", str(whole), "-q"]) == 0
    assert run([*TRAIN, *OPTIONS, "--rounds", "4", "-o", str(parts), "-q"]) == 0
    assert run([*TRAIN, *OPTIONS, "--rounds", "6", "-o", str(parts), "-q", "--resume"]) == 0
    assert (whole / "records.csv").read_bytes() == (parts / "records.csv").read_bytes()
    first, second = tensors(whole), tensors(parts)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("framework", "name"), [("epsl", "EPSL"), ("psl", "PSL"), ("sfl", "SFL"), ("sl", "vanilla SL"), ("fl", "FL")]
)
def test_simulated_time_is_the_latency_model(framework: str, name: str, tmp_path: Path) -> None:
    """Every round takes what the latency model says of the framework under the schedule that was written."""
    folder = tmp_path / "run"
    assert run([*TRAIN, "--framework", framework, "--rounds", "3", "-o", str(folder), "-q"]) == 0
    instance, schedule = read_instance(folder / "instance.json"), read_schedule(folder / "schedule.json").schedule()
    assert schedule is not None
    latency_s = round_latencies_s(instance, schedule)[name]
    for number, row in enumerate(rows(folder / "records.csv"), start=1):
        assert float(row["simulated_time_s"]) == pytest.approx(number * latency_s, rel=1e-12)


def test_psl_averaged_every_round_is_splitfed(tmp_path: Path) -> None:
    """`--framework psl --average-every 1` leaves SFL's records and checkpointed models, bit for bit."""
    psl, sfl = tmp_path / "psl", tmp_path / "sfl"
    shared = [*TRAIN, "--rounds", "5", "--option", "partition=dirichlet", "-q", "-o"]
    assert run([*shared, str(psl), "--framework", "psl", "--average-every", "1"]) == 0
    assert run([*shared, str(sfl), "--framework", "sfl"]) == 0
    assert (psl / "records.csv").read_bytes() == (sfl / "records.csv").read_bytes()
    first, second = tensors(psl), tensors(sfl)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Resuming with another learning rate ends with one line that names the option, and changes no file."""
    folder = tmp_path / "run"
    assert run([*TRAIN, "--rounds", "2", "-o", str(folder), "-q"]) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    capsys.readouterr()
    assert run([*TRAIN, "--rounds", "4", "-o", str(folder), "-q", "--resume", "--option", "lr=0.3"]) == 2
    message = capsys.readouterr().err
    assert "lr" in message
    assert message.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_divergence_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A learning rate far too large ends with exit code 1 and a line with round and stage."""
    code = run([*TRAIN, "--rounds", "60", "-o", str(tmp_path / "run"), "-f", "json", "--option", "lr=1e25"])
    told = capsys.readouterr()
    summary: dict[str, Any] = json.loads(told.out)
    assert (code, summary["stop_reason"]) == (1, "diverged")
    assert f"training diverged in round {summary['divergence']['round']}, {summary['divergence']['stage']}" in told.err


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a package is missing, training says what to install, with exit code 2."""
    monkeypatch.setattr("epsl_opt.backends.pytorch.backend.REQUIRED", ("no_such_package",))
    assert run(TRAIN) == 2
    assert 'pip install "epsl-opt[torch]"' in capsys.readouterr().err


def test_frameworks_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`compare --train` gives one row per framework and ratio; only cut layers that are allowed are used."""
    command = ["compare", *TRAIN[1:], "--train", "--frameworks", "epsl,psl", "--phi", "0.5,1", "--rounds", "2"]
    code = run([*command, "--cut-layers", "fc2", "-o", str(tmp_path / "compared"), "-f", "json", "-q"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [(row["framework"], row["aggregation_ratio"]) for row in found] == [
        ("epsl", 0.5),
        ("epsl", 1.0),
        ("psl", 0.0),
    ]
    assert {row["cut_layer"] for row in found} == {"fc2"}
    assert (tmp_path / "compared" / "training.csv").is_file()
