"""The driver of a training: its clock, its end, its folder, and going on where it stopped."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import astuple, fields, replace
from pathlib import Path

import numpy as np
import pytest
from cli_toys import small_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import schedule_document
from training_toys import NotANumber, ToySession, ToyTrainingOptions, toy_plan, toy_setup

from epsl_opt import InputError, Schedule, round_latency
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import fl_round, psl_round, sfl_round, vanilla_sl_round
from epsl_opt.core.json_record import parse_record, read_instance
from epsl_opt.core.json_text import read_json
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.json_files import read_schedule
from epsl_opt.files.training_document import TrainingDocument, TrainingStop
from epsl_opt.files.training_records import COLUMNS, read_records
from epsl_opt.plugins.backend import DivergenceError, Scores, TrainingPlan
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.folder import TrainingFolder
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.occupied import refuse_occupied
from epsl_opt.training.run import TrainingRun, train

OPTIONS = ToyTrainingOptions()


def toy_run(goal: TrainingGoal | None = None, options: ToyTrainingOptions = OPTIONS) -> TrainingRun:
    """Return a toy training that has not begun."""
    return TrainingRun(toy_setup(goal=goal or TrainingGoal(), options=options))


def in_folder(
    path: Path,
    goal: TrainingGoal,
    *,
    resume: bool = False,
    options: ToyTrainingOptions = OPTIONS,
    checkpoint_every: int = 4,
    stop_after: int | None = None,
) -> TrainingDocument:
    """Train the toy in a folder, and ask it to stop after so many rounds."""
    request = StopRequest()

    def listen(run: TrainingRun) -> None:
        request.made = len(run.records) == stop_after

    setup = toy_setup(options=options, goal=goal, checkpoint_every=checkpoint_every)
    folder = TrainingFolder(path, ".toy")
    run = open_training(setup, folder, resume=resume)
    return run_training(run, folder, listener=listen, stop_request=request)


def content(path: Path) -> bytes:
    """Return the records of a training in a folder."""
    return (path / "records.csv").read_bytes()


LATENCIES: dict[Framework, Callable[[TrainingPlan], float]] = {
    Framework.EPSL: lambda plan: round_latency(plan.instance, plan.schedule).round_latency_s,
    Framework.PSL: lambda plan: psl_round(plan.instance, plan.schedule).round_latency_s,
    Framework.SFL: lambda plan: sfl_round(plan.instance, plan.schedule).round_latency_s,
    Framework.SL: lambda plan: vanilla_sl_round(plan.instance, plan.schedule.cut_layer).round_latency_s,
    Framework.FL: lambda plan: fl_round(plan.instance, plan.schedule).round_latency_s,
}


@pytest.mark.parametrize("framework", LATENCIES)
def test_simulated_time_is_the_sum_of_round_latencies(framework: Framework, tmp_path: Path) -> None:
    """After n rounds the simulated time is n round latencies of `latency.py`, and each row's stages add up to one."""
    plan, document = toy_plan(framework)
    folder = TrainingFolder(tmp_path, ".toy")
    run_training(open_training(toy_setup(plan, document, goal=TrainingGoal(7)), folder), folder)
    latency_s = LATENCIES[framework](plan)
    rows = list(csv.DictReader(content(tmp_path).decode().splitlines()))
    assert tuple(rows[0]) == COLUMNS
    for n, row in enumerate(rows, start=1):
        assert float(row["simulated_time_s"]) == pytest.approx(n * latency_s, rel=1e-12)
        assert sum(float(row[field.name]) for field in fields(StageTimes)) == pytest.approx(latency_s, rel=1e-12)


def test_the_backend_chooses_the_clock() -> None:
    """A backend whose options undo EPSL's saving is timed as PSL."""
    slow = toy_run(options=ToyTrainingOptions(slow_clock=True))
    assert slow.setup.clock is Framework.PSL
    assert slow.stages.round_latency_s == pytest.approx(LATENCIES[Framework.PSL](slow.plan), rel=1e-12)
    assert slow.stages.round_latency_s != toy_run().stages.round_latency_s


@given(rounds=st.integers(1, 30), every=st.integers(1, 12))
def test_evaluated_rounds(rounds: int, every: int) -> None:
    """Every K-th round and the last are evaluated, no others."""
    run = toy_run(TrainingGoal(rounds, evaluate_every=every))
    assert train(run) is TrainingStop.ROUNDS
    evaluated = {record.round for record in run.records if record.test_accuracy is not None}
    assert evaluated == {n for n in range(1, rounds + 1) if n % every == 0 or n == rounds}
    assert [record.round for record in run.records] == list(range(1, rounds + 1))


@given(target=st.floats(0, 1), every=st.integers(1, 7))
def test_target_ends_the_training(target: float, every: int) -> None:
    """A training ends at the first evaluated round at the target, or after all rounds if there is none."""
    full, run = toy_run(TrainingGoal(20, evaluate_every=every)), toy_run(TrainingGoal(20, target, every))
    train(full)
    reached = [r.round for r in full.records if r.test_accuracy is not None and r.test_accuracy >= target]
    stop = train(run)
    assert stop is (TrainingStop.TARGET_ACCURACY if reached else TrainingStop.ROUNDS)
    assert len(run.records) == (reached[0] if reached else 20)
    assert run.records == full.records[: len(run.records)]


@settings(max_examples=8)
@given(stop_after=st.integers(1, 14), every=st.integers(2, 9), more=st.booleans())
def test_resumed_is_uninterrupted(stop_after: int, every: int, more: bool) -> None:
    """Stopped anywhere and resumed, a training leaves the same records and state, byte for byte, as one in one go."""
    goal = TrainingGoal(15, evaluate_every=4)
    with tempfile.TemporaryDirectory() as name:
        whole, parts = Path(name, "whole"), Path(name, "parts")
        first = in_folder(parts, goal, checkpoint_every=every, stop_after=stop_after)
        assert (first.stop_reason, first.rounds) == ("interrupted", stop_after)
        if more:
            in_folder(parts, goal, resume=True, stop_after=stop_after + 1)
        last, once = in_folder(parts, goal, resume=True), in_folder(whole, goal)
        assert content(parts) == content(whole)
        timeless = {"real_time_s": 0.0}
        assert last.model_copy(update=timeless) == once.model_copy(update=timeless)
        states = [json.loads((path / "checkpoint.toy").read_bytes()) for path in (parts, whole)]
        assert states[0] | {"metadata": ""} == states[1] | {"metadata": ""}


@settings(max_examples=8)
@given(killed_in=st.integers(1, 15), every=st.integers(2, 9))
def test_a_round_cut_short_does_no_harm(killed_in: int, every: int) -> None:
    """A `KeyboardInterrupt` inside a round keeps the last good checkpoint, from which the same records come again."""
    goal = TrainingGoal(15)

    def interrupt(number: int) -> None:
        if number == killed_in:
            raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        whole, parts = Path(name, "whole"), Path(name, "parts")
        in_folder(whole, goal)
        patch.setattr(ToySession, "before_round", staticmethod(interrupt))
        summary = in_folder(parts, goal, checkpoint_every=every)
        assert (summary.stop_reason, summary.rounds) == ("interrupted", killed_in - 1)
        assert (parts / "checkpoint.toy").exists() == (killed_in > every)
        assert content(whole).startswith(content(parts))
        patch.setattr(ToySession, "before_round", staticmethod(lambda number: None))
        in_folder(parts, goal, resume=True)
        assert content(parts) == content(whole)


def test_a_process_killed_without_warning_can_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends the process between two checkpoints, the folder is readable, says so, and goes on bit for bit."""

    def fail(number: int) -> None:
        if number == 7:
            raise MemoryError

    goal = TrainingGoal(12)
    in_folder(tmp_path / "whole", goal)
    monkeypatch.setattr(ToySession, "before_round", staticmethod(fail))
    with pytest.raises(MemoryError):
        in_folder(tmp_path / "parts", goal)
    summary = TrainingFolder(tmp_path / "parts", ".toy").read_summary()
    assert (summary.stop_reason, summary.rounds) == ("interrupted", 4)
    monkeypatch.setattr(ToySession, "before_round", staticmethod(lambda number: None))
    in_folder(tmp_path / "parts", goal, resume=True)
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def test_more_rounds_go_on(tmp_path: Path) -> None:
    """A finished training resumed with more rounds learns what one with all of them learns."""
    in_folder(tmp_path / "parts", TrainingGoal(10))
    in_folder(tmp_path / "parts", TrainingGoal(30), resume=True)
    in_folder(tmp_path / "whole", TrainingGoal(30))
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def test_fewer_rounds_are_refused(tmp_path: Path) -> None:
    """A training does not go back: fewer rounds than are done is an error that leaves the folder as it is."""
    in_folder(tmp_path, TrainingGoal(10))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InputError, match="--rounds: must be at least 10"):
        in_folder(tmp_path, TrainingGoal(9), resume=True)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_the_last_round_is_evaluated_after_all(tmp_path: Path) -> None:
    """A training stopped after a round without evaluation, and resumed to end there, evaluates it."""
    in_folder(tmp_path, TrainingGoal(30), stop_after=8)
    in_folder(tmp_path, TrainingGoal(8), resume=True)
    whole = toy_run(TrainingGoal(8))
    train(whole)
    assert read_records(tmp_path / "records.csv") == whole.records


def test_divergence_is_reported_and_keeps_what_was_good(tmp_path: Path) -> None:
    """A diverged training names round and stage, and keeps earlier rounds and the checkpoint before them."""
    summary = in_folder(tmp_path, TrainingGoal(20), options=ToyTrainingOptions(diverge_at=11))
    assert summary.stop_reason == "diverged"
    assert summary.divergence is not None
    assert (summary.divergence.round, summary.divergence.stage, summary.rounds) == (11, "server forward", 10)
    assert len(read_records(tmp_path / "records.csv")) == 10
    assert json.loads((tmp_path / "checkpoint.toy").read_bytes())["round"] == 8


def test_a_loss_that_is_no_number_is_divergence() -> None:
    """A backend that lets a NaN pass does not get it into the records."""
    run = TrainingRun(toy_setup(backend=NotANumber(), goal=TrainingGoal(5)))
    assert train(run) is TrainingStop.DIVERGED
    assert run.records == []
    assert run.divergence is not None
    assert run.divergence.round == 1


def test_folder_repeats_the_training(tmp_path: Path) -> None:
    """Instance and schedule in the folder, with framework, task, seed and options of the summary, learn the same."""
    summary = in_folder(tmp_path, TrainingGoal(12))
    instance, document = read_instance(tmp_path / "instance.json"), read_schedule(tmp_path / "schedule.json")
    schedule = document.schedule()
    assert schedule is not None
    plan = TrainingPlan(instance, schedule, Framework(summary.framework), summary.task, summary.seed)
    options = ToyTrainingOptions(**summary.options)
    again = TrainingRun(toy_setup(plan, document, options=options, goal=TrainingGoal(12)))
    train(again)
    assert again.records == read_records(tmp_path / "records.csv")


def test_summary_agrees_with_the_records(tmp_path: Path) -> None:
    """Totals, final and best scores and the way to the target are those of the records; the file says the same."""
    target = 0.9
    summary = in_folder(tmp_path, TrainingGoal(50, target, 3))
    records = read_records(tmp_path / "records.csv")
    accuracy = [r.test_accuracy for r in records if r.test_accuracy is not None]
    assert summary.stop_reason == "target_accuracy"
    assert (summary.final_accuracy, summary.best_accuracy) == (accuracy[-1], max(accuracy))
    assert summary.rounds_to_target == len(records) == summary.rounds
    assert summary.time_to_target_s == summary.simulated_time_s == len(records) * summary.round_latency_s
    assert summary.uplink_bits == sum(r.uplink_bits for r in records)
    assert summary.downlink_bits == sum(r.downlink_bits for r in records)
    assert summary.description["majority_rate"] > 0.5
    assert parse_record(TrainingDocument, read_json(tmp_path / "summary.json"), "summary") == summary


def test_folder_in_use_is_refused(tmp_path: Path) -> None:
    """A folder with a training, or with a file that one would replace, is refused; an empty one is not."""
    folder = TrainingFolder(tmp_path, ".toy")
    refuse_occupied(folder)
    (tmp_path / "instance.json").write_text("mine")
    with pytest.raises(InputError, match=r"instance\.json"):
        refuse_occupied(folder)
    (tmp_path / "instance.json").unlink()
    in_folder(tmp_path, TrainingGoal(1))
    with pytest.raises(InputError, match="--resume"):
        refuse_occupied(folder)


OTHER_PLANS: dict[str, Callable[[TrainingPlan], TrainingPlan]] = {
    "framework": lambda plan: replace(plan, framework=Framework.SFL),
    "task": lambda plan: replace(plan, task="other"),
    "seed": lambda plan: replace(plan, seed=1),
    "batch size": lambda plan: replace(plan, instance=plan.instance.with_training(batch_size=9)),
    "aggregation ratio": lambda plan: replace(plan, instance=plan.instance.with_training(aggregation_ratio=1.0)),
    "cut layer": lambda plan: replace(plan, schedule=_schedule(plan.schedule, 1)),
    "schedule": lambda plan: replace(plan, schedule=_schedule(plan.schedule, 0, 0.5)),
    "instance": lambda plan: replace(plan, instance=plan.instance.replace(name="other")),
}


def _schedule(schedule: Schedule, cut_layer: int, power_factor: float = 1.0) -> Schedule:
    return Schedule(cut_layer, schedule.subchannel_client, power_factor * schedule.subchannel_power_w)


@pytest.mark.parametrize("part", OTHER_PLANS)
def test_checkpoint_of_another_training_is_refused(part: str, tmp_path: Path) -> None:
    """Any part of the plan that differs is named, by summary and by checkpoint, and the folder stays as it is."""
    in_folder(tmp_path, TrainingGoal(3))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    plan = OTHER_PLANS[part](toy_plan()[0])
    folder = TrainingFolder(tmp_path, ".toy")
    setup = toy_setup(plan, schedule_document(plan.instance, plan.schedule), goal=TrainingGoal(3))
    with pytest.raises(InputError, match=f"of another training: .*{part} "):
        folder.refuse_other(setup)
    with pytest.raises(InputError, match=rf"checkpoint\.toy: is of another training: .*{part} "):
        open_training(setup, folder, resume=True)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_other_options_are_named(tmp_path: Path) -> None:
    """Another learning rate is another training, named with both values."""
    in_folder(tmp_path, TrainingGoal(3))
    with pytest.raises(InputError, match=r"option lr \(0\.5, not 0\.25\)"):
        in_folder(tmp_path, TrainingGoal(3), resume=True, options=ToyTrainingOptions(lr=0.25))


def test_a_plan_differs_from_no_equal_plan() -> None:
    """Equal plans have no differences."""
    assert toy_setup().reference.differences(toy_setup().reference) == []


def _damaged(kind: str, checkpoint: bytes) -> bytes:
    state = json.loads(checkpoint)
    metadata = json.loads(state["metadata"])
    if kind == "truncated":
        return checkpoint[: len(checkpoint) // 2]
    if kind == "version":
        metadata["version"] = 2
    elif kind == "field":
        del metadata["records"]
    elif kind == "number":
        metadata["records"][0]["train_loss"] = "low"
    elif kind == "order":
        metadata["records"].reverse()
    state["metadata"] = "{" if kind == "no JSON" else json.dumps(metadata)
    return json.dumps(state).encode()


@pytest.mark.parametrize("kind", ["truncated", "version", "field", "number", "order", "no JSON"])
def test_damaged_checkpoint_is_refused(kind: str, tmp_path: Path) -> None:
    """A checkpoint that is cut short, or whose metadata are wrong, is an error that names the file."""
    in_folder(tmp_path, TrainingGoal(3))
    path = tmp_path / "checkpoint.toy"
    path.write_bytes(_damaged(kind, path.read_bytes()))
    with pytest.raises(InputError, match=r"checkpoint\.toy"):
        in_folder(tmp_path, TrainingGoal(3), resume=True)


@pytest.mark.parametrize("text", ["", "round\n1\n", ",".join(COLUMNS) + "\n2" + ",1" * 14 + "\n", "\x00"])
def test_damaged_records_are_refused(text: str, tmp_path: Path) -> None:
    """Records without columns, or that do not begin with round 1, are an error that names the file."""
    path = tmp_path / "records.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"records\.csv"):
        read_records(path)


def test_a_round_that_never_ends_is_refused() -> None:
    """A framework that sends models needs a rate for every client, even where EPSL sends nothing."""
    instance = small_instance()
    silent = instance.model.cut_layers[0].model_copy(update={"activation_bits": 0.0, "gradient_bits": 0.0})
    instance = instance.replace(model=instance.model.model_copy(update={"cut_layers": (silent,)}))
    schedule = Schedule(0, np.full(5, -1), np.zeros(5))
    document = schedule_document(instance, schedule)
    TrainingRun(toy_setup(TrainingPlan(instance, schedule, Framework.PSL, "plane"), document))
    with pytest.raises(InputError, match="never ends"):
        TrainingRun(toy_setup(TrainingPlan(instance, schedule, Framework.SFL, "plane"), document))


@pytest.mark.parametrize("values", [(0,), (1, 1.5), (1, float("nan")), (1, None, 0)])
def test_impossible_goals_are_refused(values: tuple[int, float | None, int]) -> None:
    """No rounds, an accuracy that is no fraction, or an evaluation every no rounds, is a ValueError."""
    with pytest.raises(ValueError, match="must be"):
        TrainingGoal(*values)


@pytest.mark.parametrize("seed", [-1, 2**64, 10**400])
def test_impossible_seeds_are_refused(seed: int) -> None:
    """A seed that no random generator takes is one clear error, before anything is set up."""
    with pytest.raises(InputError, match="seed: must be from 0 to"):
        replace(toy_plan()[0], seed=seed)


def test_a_last_round_whose_evaluation_diverges_has_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the scores are not finite, with the round or after it, the training has diverged and the round is gone."""

    def diverge(session: ToySession) -> Scores:
        raise DivergenceError("evaluation")

    at_once, later = toy_run(TrainingGoal(1)), toy_run(TrainingGoal(5, evaluate_every=3))
    later.train_round()
    later.setup = at_once.setup
    monkeypatch.setattr(ToySession, "evaluate", diverge)
    for run in (at_once, later):
        assert train(run) is TrainingStop.DIVERGED
        assert run.divergence is not None
        assert (run.divergence.round, run.divergence.stage, run.records, run.sound) == (1, "evaluation", [], False)


def test_stage_times_are_a_rows_last_columns() -> None:
    """The columns of the records are fixed: what was learned and sent, then the stages in their order."""
    head = ("round", "simulated_time_s", "train_loss", "test_accuracy", "macro_f1", "uplink_bits", "downlink_bits")
    assert head + tuple(field.name for field in fields(StageTimes)) == COLUMNS
    assert len(astuple(StageTimes())) == 8


def test_every_column_is_explained() -> None:
    """The manual's page on training lists the columns of the records in their order."""
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    listed = page.partition("| column of records.csv |")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)) == COLUMNS
