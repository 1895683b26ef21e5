"""Trainings whose client-side models are averaged every so many rounds: clock, files, keys, and going on."""

from __future__ import annotations

import csv
import json
import tempfile
from dataclasses import asdict, fields, replace
from pathlib import Path

import jsonschema
import pytest
from cli_toys import small_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from training_toys import ToyBackend, toy_plan, toy_setup

from epsl_opt import InputError, round_latency
from epsl_opt.core.distribution import version
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import sfl_round
from epsl_opt.core.json_text import read_json
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.schema import json_schema
from epsl_opt.files.stored_record import key_of
from epsl_opt.files.training_document import TrainingDocument
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.folder import TrainingFolder
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.setup import TrainingSetup, method_name

ROUNDS = 12


def averaged(every: int | None, framework: Framework = Framework.EPSL, rounds: int = ROUNDS) -> TrainingSetup:
    """Return a toy training with this interval."""
    plan, document = toy_plan(framework)
    goal = TrainingGoal(rounds, evaluate_every=4)
    return toy_setup(replace(plan, average_every=every), document, goal=goal, checkpoint_every=3)


def trained(setup: TrainingSetup, path: Path, *, resume: bool = False, stop_after: int = 0) -> TrainingDocument:
    """Train in a folder, and ask it to stop after so many rounds."""
    request, folder = StopRequest(), TrainingFolder(path, ".toy")
    run = open_training(setup, folder, resume=resume)

    def listen(_: object) -> None:
        request.made = len(run.records) == stop_after

    return run_training(run, folder, listener=listen, stop_request=request)


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a training's records."""
    with (path / "records.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("every", [1, 2, 5, ROUNDS, ROUNDS + 1])
def test_records_and_summary_tell_the_exchange(every: int, tmp_path: Path) -> None:
    """A round that averages takes SFL's exchange in addition, the others don't; the summary has the means over I."""
    setup = averaged(every)
    summary, plan = trained(setup, tmp_path), setup.plan
    latency_s = round_latency(plan.instance, plan.schedule).round_latency_s
    models = sfl_round(plan.instance, plan.schedule)
    exchange_s = models.slowest_upload_s + models.model_broadcast_s
    for number, row in enumerate(rows(tmp_path), start=1):
        assert float(row["model_exchange_s"]) == (exchange_s if number % every == 0 else 0.0)
        elapsed_s = number * latency_s + number // every * exchange_s
        assert float(row["simulated_time_s"]) == pytest.approx(elapsed_s, rel=1e-12)
    assert summary.simulated_time_s == float(rows(tmp_path)[-1]["simulated_time_s"])
    assert summary.average_every == every
    jsonschema.Draft202012Validator(json_schema("training")).validate(read_json(tmp_path / "summary.json"))
    assert TrainingFolder(tmp_path, ".toy").read_summary() == summary
    assert summary.model_exchange_s == exchange_s / every
    assert summary.round_latency_s == pytest.approx(latency_s + exchange_s / every, rel=1e-12)


def test_the_time_to_the_target_has_its_exchanges(tmp_path: Path) -> None:
    """The way to a target takes what the rounds up to there took, exchanges included."""
    setup = averaged(5)
    goal = TrainingGoal(ROUNDS, target_accuracy=0.5, evaluate_every=1)
    summary = trained(replace(setup, fitted=replace(setup.fitted, request=replace(setup.request, goal=goal))), tmp_path)
    assert summary.rounds_to_target is not None
    assert summary.time_to_target_s == float(rows(tmp_path)[summary.rounds_to_target - 1]["simulated_time_s"])


def test_psl_averaged_every_round_has_the_clock_of_splitfed() -> None:
    """PSL with I = 1 is timed as SFL is, to the bit, round by round and on average."""
    psl, sfl = averaged(1, Framework.PSL), averaged(None, Framework.SFL)
    assert psl.stages == sfl.stages
    for number in range(1, 50):
        assert psl.timing.simulated_time_s(number) == sfl.timing.simulated_time_s(number)


@settings(max_examples=8)
@given(every=st.integers(1, 6), stop_after=st.integers(1, ROUNDS - 1))
def test_resumed_is_uninterrupted(every: int, stop_after: int) -> None:
    """Stopped anywhere and resumed, a training that averages leaves the records of one in one go, byte for byte."""
    with tempfile.TemporaryDirectory() as name:
        whole, parts = Path(name, "whole"), Path(name, "parts")
        trained(averaged(every), parts, stop_after=stop_after)
        trained(averaged(every), parts, resume=True)
        trained(averaged(every), whole)
        assert (parts / "records.csv").read_bytes() == (whole / "records.csv").read_bytes()


def test_files_without_averaging_do_not_mention_it(tmp_path: Path) -> None:
    """Summary and checkpoint of a training that never averages are those of versions that knew of no averaging."""
    trained(averaged(None), tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    metadata = json.loads(json.loads((tmp_path / "checkpoint.toy").read_bytes())["metadata"])
    assert {"average_every", "model_exchange_s"}.isdisjoint(summary)
    assert set(metadata["plan"]) == {
        "instance_sha256", "batch_size", "aggregation_ratio", "cut_layer", "schedule_sha256", "framework", "task",
        "seed", "backend", "options",
    }  # fmt: skip


def test_keys_know_the_interval_only_where_there_is_one() -> None:
    """A training that never averages is kept under the key it always had; each interval has a key of its own."""
    setup = averaged(None)
    plan, request = setup.plan, setup.request
    parts = {
        "instance_sha256": plan.instance.sha256,
        "batch_size": plan.instance.training.batch_size,
        "aggregation_ratio": plan.instance.training.aggregation_ratio,
        "cut_layer": plan.schedule.cut_layer,
        "framework": "epsl",
        "task": plan.task,
        "seed": plan.seed,
        "backend": "toy",
        "options": request.options.model_dump(mode="json"),
    }
    code = {"class": f"{ToyBackend.__module__}.ToyBackend", "version": version()}
    assert setup.learning_key == key_of({"plan": parts, "goal": asdict(request.goal), "code": code})
    assert len({averaged(every).learning_key for every in (None, 1, 2, 3)}) == 4


@pytest.mark.parametrize(("begun", "asked"), [(None, 2), (2, None), (2, 3)])
def test_another_interval_is_another_training(begun: int | None, asked: int | None, tmp_path: Path) -> None:
    """To go on with another interval is refused, by summary and by checkpoint, naming both."""
    trained(averaged(begun, rounds=4), tmp_path)
    named = f"average every \\({begun or 'none'!s}, not {asked or 'none'!s}\\)"
    with pytest.raises(InputError, match=named):
        TrainingFolder(tmp_path, ".toy").refuse_other(averaged(asked))
    with pytest.raises(InputError, match=named):
        trained(averaged(asked), tmp_path, resume=True)


@pytest.mark.parametrize("framework", [each for each in Framework if each not in (Framework.EPSL, Framework.PSL)])
def test_other_frameworks_refuse_an_interval(framework: Framework) -> None:
    """What can't be averaged every so many rounds is refused before anything is solved."""
    request = replace(averaged(None).request, framework=framework, average_every=2)
    with pytest.raises(InputError, match=f"--average-every: is for the frameworks epsl and psl, not {framework};"):
        request.fit(small_instance())


def test_a_backend_that_knows_no_averaging_is_not_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that would ignore the interval is refused, and still trains without one."""
    monkeypatch.setattr(ToyBackend, "averages", False)
    with pytest.raises(InputError, match="--average-every: is nothing that the backend toy can do"):
        averaged(2).request.fit(small_instance())
    averaged(None).request.fit(small_instance())


def test_methods_are_named_with_their_interval() -> None:
    """People read ratio and interval in the name, and the old names stay."""
    names = [method_name("epsl", 0.5), method_name("psl", 0.0), method_name("sfl-v2", 0.0)]
    assert names == ["epsl(0.5)", "psl", "sfl-v2"]
    assert [method_name("epsl", 0.5, 5), method_name("psl", 0.0, 20)] == ["epsl(0.5, I=5)", "psl(I=20)"]
    assert averaged(5).method == "epsl(0.5, I=5)"


def test_stages_of_a_row_are_of_that_round(tmp_path: Path) -> None:
    """The stage columns of a row add up to what simulated time gained in that round."""
    trained(averaged(3), tmp_path)
    before_s = 0.0
    for row in rows(tmp_path):
        now_s = float(row["simulated_time_s"])
        assert sum(float(row[field.name]) for field in fields(StageTimes)) == pytest.approx(now_s - before_s, rel=1e-9)
        before_s = now_s
