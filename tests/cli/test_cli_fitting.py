"""Schedules, networks and tasks fit together: what `solve` makes, `train`, `check` and `plot` take."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from epsl_opt import load_instance
from epsl_opt.backends.datasets.tasks import bundled_tasks
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.files.json_files import read_schedule

INSTANCE = "paper:clients=2,subchannels=4,batch_size=2"
SMALL = {
    "digits": "digits",
    "paper": "paper:samples=14,test-fraction=0.5",
    "synthetic": "synthetic:samples=60,size=4,classes=3",
}
TINY = SMALL["synthetic"]
REMEDY = "this makes one that fits: "


def solved(tmp_path: Path, *arguments: str) -> str:
    """Solve the instance with these options and return the schedule's file."""
    path = tmp_path / "schedule.json"
    assert run(["solve", INSTANCE, "-s", "greedy", "-q", *arguments, "-o", str(path)]) == ExitCode.OK
    return str(path)


def trained(schedule: str, *arguments: str) -> int:
    """Train a round under a schedule and return the exit code."""
    return run(["train", INSTANCE, "--schedule", schedule, "--rounds", "1", *arguments])


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no task is named, the costly one is left out."""
    monkeypatch.setattr(TorchBackend, "bundled_tasks", lambda self: ("digits", "synthetic"))


@pytest.mark.parametrize("name", bundled_tasks())
def test_train_takes_what_solve_makes_for_a_task(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever `solve --task T` writes, `train --task T` takes as it is, for every task that needs no files."""
    schedule = solved(tmp_path, "--task", SMALL[name])
    capsys.readouterr()
    assert trained(schedule, "--task", SMALL[name], "-f", "json") == ExitCode.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["instance"]["sha256"] == read_schedule(schedule).instance.sha256
    assert "decisions" not in err


def test_a_schedule_for_the_default_instance_is_trained_on_the_paper_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`solve paper` and `train paper` with its schedule go together, the profile as it is; a note says which task."""
    monkeypatch.setattr(TorchBackend, "bundled_tasks", lambda self: (SMALL["paper"],))
    schedule = solved(tmp_path)
    capsys.readouterr()
    assert trained(schedule, "-f", "json") == ExitCode.OK
    out, err = capsys.readouterr()
    assert json.loads(out)["instance"]["sha256"] == load_instance(INSTANCE).sha256
    assert err.splitlines() == [
        f"epsl-opt: {schedule}: is for the network 'resnet18-64', so the task is {SMALL['paper']}, not digits"
    ]


@pytest.mark.parametrize(
    "options",
    [
        ["--network", "mlp"],
        ["--network", "mlp:width=8", "--batch-size", "3", "--phi", "1"],
        ["--batch-size", "5", "--cut-layers", "conv1,pool1"],
        ["--min-cut", "pool1", "--phi", "0.25"],
    ],
)
def test_train_takes_what_solve_makes_with_the_same_options(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Options that `solve` and `train` share make the same instance in both, and `generate` and `check` agree."""
    options = ["--task", TINY, *options]
    schedule, instance = solved(tmp_path, *options), str(tmp_path / "instance.json")
    capsys.readouterr()
    assert trained(schedule, *options) == ExitCode.OK
    assert "decisions" not in capsys.readouterr().err
    assert run(["check", INSTANCE, schedule, *options]) == ExitCode.OK
    assert run(["generate", INSTANCE, *options, "-o", instance]) == ExitCode.OK
    assert run(["check", instance, schedule]) == ExitCode.OK
    document = read_schedule(schedule)
    assert document.cut_layer is not None
    assert load_instance(instance).model.cut_layers[document.cut_layer.index].name == document.cut_layer.name


@pytest.mark.parametrize(
    "options",
    [
        ["--task", TINY],
        ["--task", TINY, "--network", "mlp:width=8", "--batch-size", "3", "--phi", "0.1"],
        ["--task", TINY, "--option", "network=mlp", "--framework", "psl"],
        ["--task", TINY, "--framework", "sfl", "--min-cut", "pool1"],
        ["--cut-layers", "fc1,conv2"],
        ["--network", "mlp"],
    ],
)
def test_what_a_refusal_suggests_works(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command that ends a refusal, run as it stands, makes a schedule that the same training takes as it is."""
    schedule = solved(tmp_path, "--cut-layers", "layer2.0,layer3.0")
    capsys.readouterr()
    assert trained(schedule, *options) == ExitCode.BAD_INPUT
    refused = capsys.readouterr().err.splitlines()[-1]
    program, *remedy = shlex.split(refused.partition(REMEDY)[2])
    assert program == "epsl-opt"
    assert run(remedy) == ExitCode.OK
    capsys.readouterr()
    assert trained(schedule, *options) == ExitCode.OK
    assert "decisions" not in capsys.readouterr().err


def test_a_schedule_of_the_default_task_is_trained_on_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --task, a schedule that the default task's network fits is trained on that task."""
    schedule = solved(tmp_path, "--task", "digits")
    capsys.readouterr()
    assert trained(schedule, "-f", "json") == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["task"] == "digits"


@pytest.mark.parametrize("limit", [["--cut-layers", "layer1.0,layer3.0"], ["--min-cut", "layer2.0"]])
def test_cut_limits_mean_the_same_everywhere(
    limit: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`solve`, `generate`, `check` and `plot` with equal limits agree; without them, a limited schedule is refused."""
    schedule, instance = solved(tmp_path, *limit), str(tmp_path / "instance.json")
    picture = str(tmp_path / "picture.svg")
    assert run(["generate", INSTANCE, *limit, "-o", instance]) == ExitCode.OK
    assert load_instance(instance).sha256 == read_schedule(schedule).instance.sha256
    for source, options in ((INSTANCE, limit), (instance, [])):
        assert run(["check", source, schedule, *options]) == ExitCode.OK
        assert run(["plot", schedule, "--instance", source, *options, "-o", picture]) == ExitCode.OK
    capsys.readouterr()
    assert run(["check", INSTANCE, schedule]) == ExitCode.BAD_INPUT
    assert "--cut-layers" in capsys.readouterr().err
    assert run(["plot", schedule, "--instance", INSTANCE, "-o", picture]) == ExitCode.BAD_INPUT


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solve", INSTANCE, "--task", "digit"], ["digits"]),
        (["generate", INSTANCE, "--cut-layers", "layer9"], ["layer9"]),
        (["solve", INSTANCE, "--phi", "2"], ["aggregation_ratio", "2"]),
        (["solve", INSTANCE, "--task", TINY, "--min-cut", "layer1.0"], ["layer1.0"]),
        (["solve", "--watch", ".", "-o", "there", "--task", "digits"], ["--task", "--watch", "generate"]),
        (["plot", "schedule.json", "--min-cut", "conv1", "-o", "x.png"], ["--min-cut", "--instance"]),
    ],
)
def test_what_does_not_go_together_is_one_line(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name or value, or an option without effect, is code 2, told in the last line."""
    assert run(arguments) == ExitCode.BAD_INPUT
    told = capsys.readouterr().err.splitlines()[-1]
    assert all(word in told for word in words)


@pytest.mark.parametrize("phi", [0.0, 0.75])
def test_training_options_are_the_scenarios_own(phi: float, tmp_path: Path) -> None:
    """`--batch-size` and `--phi` make the instance that the scenario's own options make, but for name and origin."""
    path = tmp_path / "instance.json"
    assert run(["generate", INSTANCE, "--batch-size", "7", "--phi", str(phi), "-o", str(path)]) == ExitCode.OK
    given = load_instance(str(path))
    own = load_instance(f"paper:clients=2,subchannels=4,batch_size=7,aggregation_ratio={phi}")
    assert given == own.replace(name=given.name, origin=given.origin)
