"""`epsl-opt compare --train` from the outside, and what cases share."""

from __future__ import annotations

import csv
import io
import json
import signal
from pathlib import Path

import numpy as np
import pytest
from cli_toys import Empty, Steady, ToyOptions, Weak, round_robin, small_instance, write_instance
from training_toys import ToyBackend, ToySession, ToyTrainingOptions, register_training_toys, toy_plan, toy_setup

from epsl_opt import Instance, Schedule, SolveMonitor, StopReason
from epsl_opt.campaigns.trainings import TRAINING_COLUMNS, TrainingCampaign, train_cases
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.framework import Framework
from epsl_opt.report.plots.training import accuracy_curves, plot_training
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.variants import make_setups, variants


class Late(Steady):
    """Cuts at the second layer."""

    name = "late"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Offer one schedule."""
        found = round_robin(instance)
        monitor.offer(Schedule(1, found.subchannel_client, found.subchannel_power_w))
        return StopReason.COMPLETED


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toys are registered."""
    register_training_toys(monkeypatch, Steady, Weak, Late, Empty)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures take longer than all the rest."""
    monkeypatch.setattr("epsl_opt.report.training_files._write_picture", lambda *arguments: None)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Three schedules, two of them with one cut layer, and two frameworks."""
    source = write_instance(tmp_path)
    toy = ["--backend", "toy", "--task", "plane", "--rounds", "12", "--evaluate-every", "4"]
    return ["compare", source, "--train", "--solvers", "steady,weak,late", "--frameworks", "epsl,psl", *toy]


def table(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_one_training_per_framework_and_cut_layer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Schedules with one cut layer share a training: they differ in time, in nothing that was learned."""
    assert run([*arguments, "-f", "json"]) == ExitCode.OK
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert [(row["framework"], row["solver"]) for row in rows] == [
        (framework, solver) for framework in ("epsl", "psl") for solver in ("steady", "weak", "late")
    ]
    assert len(ToyBackend.starts) == 4
    assert "6 of 6 rows, 4 different trainings" in err
    timed = {"solver", "round_latency_s", "simulated_time_s"}
    for first in range(0, 6, 3):
        steady, weak, late = rows[first : first + 3]
        assert {key: value for key, value in steady.items() if key not in timed} == {
            key: value for key, value in weak.items() if key not in timed
        }
        assert weak["round_latency_s"] > steady["round_latency_s"]
        assert late["training"] != steady["training"]
    assert all(row["simulated_time_s"] == pytest.approx(12 * row["round_latency_s"], rel=1e-12) for row in rows)


@pytest.mark.usefixtures("no_pictures")
def test_each_row_is_the_training_that_train_would_do(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`train` with a row's instance, schedule, framework and seed gives the row's records, byte for byte."""
    folder = tmp_path / "out"
    assert run([*arguments, "--train-seeds", "0,3", "-o", str(folder), "-f", "csv"]) == ExitCode.OK
    text = capsys.readouterr().out
    assert text == (folder / "training.csv").read_text()
    rows = table(text)
    assert [list(row) for row in rows] == [list(TRAINING_COLUMNS)] * 12
    for row in rows:
        method = "epsl-0.5" if row["framework"] == "epsl" else row["framework"]
        name = f"small--{method}--{row['solver']}"
        instance, schedule = folder / "instances" / f"small--{method}.json", folder / "schedules" / f"{name}.json"
        assert run(["check", str(instance), str(schedule), "-f", "json"]) == ExitCode.OK
        capsys.readouterr()
        single = ["train", str(instance), "--schedule", str(schedule), "--framework", row["framework"]]
        single += ["--seed", row["seed"], *arguments[arguments.index("--backend") :], "-f", "csv"]
        assert run(single) == ExitCode.OK
        records = folder / "records" / f"{name}--seed-{row['seed']}.csv"
        assert capsys.readouterr().out == records.read_text()


@pytest.mark.usefixtures("no_pictures")
def test_finished_trainings_are_not_run_again(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command trains nothing; with another schedule of the same cut layer neither, and the times are its."""
    folder = str(tmp_path / "out")
    assert run([*arguments, "-o", folder, "-f", "csv"]) == ExitCode.OK
    first = capsys.readouterr().out
    ToyBackend.starts.clear()
    assert run([*arguments, "-o", folder, "-f", "csv"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert out == first
    assert "4 of 4 trainings were there already" in err
    alone = [*arguments, "--solvers", "weak", "-o", folder, "-f", "csv"]
    assert run(alone) == ExitCode.OK
    assert table(capsys.readouterr().out) == [row for row in table(first) if row["solver"] == "weak"]
    assert ToyBackend.starts == []


@pytest.mark.usefixtures("no_pictures")
def test_interrupted_campaign_goes_on(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C keeps the rows that are done and the training under way, whatever schedules the next command has."""
    assert run([*arguments, "-f", "csv"]) == ExitCode.OK
    whole = capsys.readouterr().out
    folder = str(tmp_path / "out")
    pressed = iter([False] * 16 + [True])
    monkeypatch.setattr(
        ToySession, "before_round", staticmethod(lambda n: next(pressed, False) and signal.raise_signal(signal.SIGINT))
    )
    assert run([*arguments, "-o", folder, "-f", "csv"]) == ExitCode.INTERRUPTED
    out, err = capsys.readouterr()
    assert [row["solver"] for row in table(out)] == ["steady", "weak"]
    assert "interrupted after 2 of 6 rows; the same command goes on from here" in err
    ToyBackend.starts.clear()
    assert run([*arguments, "-o", folder, "-f", "csv"]) == ExitCode.OK
    assert capsys.readouterr().out == whole
    assert len(ToyBackend.starts) == 3


@pytest.mark.usefixtures("no_pictures")
def test_unfinished_training_goes_on_under_another_schedule(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training begun under one solver's schedule is ended under another's with the same cut layer."""
    monkeypatch.setattr(
        ToySession, "before_round", staticmethod(lambda n: signal.raise_signal(signal.SIGINT) if n == 5 else None)
    )
    folder = str(tmp_path / "out")
    assert run([*arguments, "--solvers", "steady", "-o", folder]) == ExitCode.INTERRUPTED
    monkeypatch.setattr(ToySession, "before_round", staticmethod(lambda n: None))
    capsys.readouterr()
    assert run([*arguments, "--solvers", "weak", "-o", folder, "-f", "csv"]) == ExitCode.OK
    resumed, err = capsys.readouterr()
    assert "warning" not in err
    assert run([*arguments, "--solvers", "weak", "-f", "csv"]) == ExitCode.OK
    assert capsys.readouterr().out == resumed


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", ["summary.json", "records.csv", "checkpoint.toy"])
@pytest.mark.parametrize("finished", [True, False])
def test_damaged_training_is_run_again(
    name: str, finished: bool, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is cut short costs a warning and a new training, if it was needed, never a wrong row."""
    folder = tmp_path / "out"
    assert run([*arguments, "-o", str(folder), "-f", "csv"]) == ExitCode.OK
    first = capsys.readouterr().out
    place = sorted((folder / "trainings").iterdir())[0]
    if not finished:
        summary = json.loads((place / "summary.json").read_text())
        (place / "summary.json").write_text(json.dumps(summary | {"stop_reason": "interrupted"}))
    damaged = place / name
    damaged.write_bytes(damaged.read_bytes()[:60])
    assert run([*arguments, "-o", str(folder), "-f", "csv"]) == ExitCode.OK
    out, err = capsys.readouterr()
    assert out == first
    needed = name != ("checkpoint.toy" if finished else "records.csv")
    assert err.count("warning") == needed
    assert (str(damaged) in err) == needed


def test_options_reach_their_framework(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`train.K=V` is for every framework, `train.FRAMEWORK.K=V` wins for its own, and solvers keep theirs."""
    options = ["--option", "train.lr=0.1", "--option", "train.psl.lr=0.2", "--option", "steady.scale=0.5"]
    assert run([*arguments, "--solvers", "steady", *options, "-f", "json"]) == ExitCode.OK
    rows = json.loads(capsys.readouterr().out)
    given = {"train": {"lr": "0.1"}, "train.psl": {"lr": "0.2"}}
    found = variants(toy_setup().request, [Framework.EPSL, Framework.PSL], None, given)
    assert [variant.options for variant in found] == [ToyTrainingOptions(lr=0.1), ToyTrainingOptions(lr=0.2)]
    assert run([*arguments, "--solvers", "steady", "-f", "json"]) == ExitCode.OK
    plain = json.loads(capsys.readouterr().out)
    assert all(ours["training"] != theirs["training"] for ours, theirs in zip(rows, plain, strict=True))
    assert all(ours["round_latency_s"] > theirs["round_latency_s"] for ours, theirs in zip(rows, plain, strict=True))


def test_a_row_per_aggregation_ratio(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """--phi trains EPSL once per ratio, each under schedules for that ratio; the others aggregate nothing."""
    assert run([*arguments, "--solvers", "steady", "--phi", "0.25,1", "-f", "json"]) == ExitCode.OK
    rows = json.loads(capsys.readouterr().out)
    found = [(row["framework"], row["aggregation_ratio"]) for row in rows]
    assert found == [("epsl", 0.25), ("epsl", 1.0), ("psl", 0.0)]
    latencies = [row["round_latency_s"] for row in rows]
    assert latencies[1] < latencies[0] < latencies[2]


def test_table_shows_the_way_to_the_target(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With a target every training ends there, and the table has rounds and simulated seconds to it."""
    assert run([*arguments, "--target-accuracy", "0.8", "-f", "json"]) == ExitCode.OK
    rows = json.loads(capsys.readouterr().out)
    assert all(row["stop_reason"] == "target_accuracy" for row in rows)
    for row in rows:
        assert row["time_to_target_s"] == row["simulated_time_s"] == row["rounds_to_target"] * row["round_latency_s"]
    assert run([*arguments, "--target-accuracy", "0.8"]) == ExitCode.OK
    out = capsys.readouterr().out
    assert "target accuracy 80.0 %" in out
    assert all(f"{row['time_to_target_s']:.6g}" in out for row in rows)
    assert "epsl(0.5)" in out


def test_divergence_fails_its_rows_only(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A framework that diverges is code 1 and a line that names round and stage; the others are trained."""
    assert run([*arguments, "--option", "train.epsl.diverge-at=6", "-q", "-f", "json"]) == ExitCode.ERROR
    out, err = capsys.readouterr()
    stops = {(row["framework"], row["stop_reason"], row["rounds"]) for row in json.loads(out)}
    assert stops == {("epsl", "diverged", 5), ("psl", "rounds", 12)}
    assert "diverged in round 6, server forward" in err
    assert "Traceback" not in err


def test_missing_schedules_are_reported(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A solver without a schedule is a line and an exit code, and the others' schedules are trained under."""
    assert run([*arguments, "--solvers", "empty,steady", "-q", "-f", "json"]) == ExitCode.NO_SCHEDULE
    out, err = capsys.readouterr()
    assert {row["solver"] for row in json.loads(out)} == {"steady"}
    assert "empty on small: no schedule" in err


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--frameworks", "epsl,pls"], ["--frameworks", "pls", "psl"]),
        (["--phi", "half"], ["--phi", "half"]),
        (["--phi", "2"], ["aggregation_ratio"]),
        (["--phi", "0.5", "--frameworks", "psl"], ["--phi", "epsl"]),
        (["--option", "train.sfl.lr=1"], ["train.sfl", "train.psl"]),
        (["--option", "train.lrr=1"], ["lrr", "lr"]),
        (["--backend", "absent"], ["epsl-opt[torch]"]),
        (["--task", "plain"], ["plain"]),
        (["--train-seeds", "x"], ["--train-seeds"]),
        (["--target-accuracy", "2"], ["--target-accuracy"]),
    ],
)
def test_wrong_usage_is_one_line(
    options: list[str], names: list[str], arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong usage ends with code 2, one line that names what is wrong, and nothing is solved or trained."""
    calls = Steady.calls
    assert run([*arguments, *options]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert all(name in err for name in names)
    assert (Steady.calls, ToyBackend.starts) == (calls, [])


def test_training_options_need_the_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --train, an option that only it understands is refused by name; a configuration file may hold it."""
    source = write_instance(tmp_path)
    assert run(["compare", source, "--solvers", "steady", "--rounds", "5"]) == ExitCode.BAD_INPUT
    assert "--rounds is for --train" in capsys.readouterr().err
    config = tmp_path / "epsl.toml"
    config.write_text('rounds = 5\n[compare]\nsolvers = ["steady"]\n')
    assert run(["--config", str(config), "compare", source]) == ExitCode.OK


def campaign(seeds: tuple[int, ...]) -> TrainingCampaign:
    """Train the toy with two frameworks and these seeds."""
    base, frameworks = toy_setup(goal=TrainingGoal(12, evaluate_every=4)).request, (Framework.EPSL, Framework.PSL)
    fitted = [request.fit(small_instance()) for request in variants(base, frameworks, None, {})]
    documents = [toy_plan(framework)[1] for framework in frameworks]
    return train_cases(list(make_setups(fitted, documents, seeds)))


def test_curves_are_means_over_seeds() -> None:
    """A curve is the mean accuracy of its seeds over simulated time, between the lowest and the highest of them."""
    found = campaign((0, 1, 2))
    curves = list(accuracy_curves(found.cases))
    assert [curve.method for curve in curves] == ["epsl(0.5)", "psl"]
    for curve, first in zip(curves, (0, 3), strict=True):
        own = found.cases[first : first + 3]
        scores = np.array(
            [[r.test_accuracy for r in trained.records if r.test_accuracy is not None] for trained in own]
        )
        np.testing.assert_allclose(curve.time_s, np.array([4, 8, 12]) * own[0].row.round_latency_s, rtol=1e-12)
        np.testing.assert_allclose(curve.mean, scores.mean(axis=0), rtol=1e-12)
        assert (curve.low == scores.min(axis=0)).all()
        assert (curve.high == scores.max(axis=0)).all()


def test_picture_names_methods_and_axes() -> None:
    """The picture has a line and a legend entry per method, and says what its axes are."""
    figure = plot_training(campaign((0, 1)).cases)
    (axes,) = figure.axes
    assert axes.get_xlabel() == "simulated time, s"
    assert axes.get_ylabel() == "test accuracy, %"
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["epsl(0.5)", "psl", "majority class"]
    assert len(axes.lines) == 3


def test_folder_has_pictures(arguments: list[str], tmp_path: Path) -> None:
    """The folder gets the picture as PNG and SVG."""
    folder = tmp_path / "out"
    assert run([*arguments, "--solvers", "steady", "-o", str(folder), "-q"]) == ExitCode.OK
    assert sorted(path.name for path in (folder / "pictures").iterdir()) == [
        "small--training.png",
        "small--training.svg",
    ]
