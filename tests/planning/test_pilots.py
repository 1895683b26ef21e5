"""Pilots, and plans by them, with a toy that learns quickly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_toys import small_instance
from training_toys import ToyBackend, ToyTrainingOptions, register_training_toys

from epsl_opt import InputError, Instance, read_schedule
from epsl_opt import plan as make_plan
from epsl_opt.campaigns.engines import ThisProcess
from epsl_opt.core.framework import Framework
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.plan_document import Fate, PlanDocument
from epsl_opt.planning import held
from epsl_opt.planning.latency import Pricing
from epsl_opt.planning.pilots import Pilots, PilotsInterrupted
from epsl_opt.planning.plan import LIMITS, Plan
from epsl_opt.planning.point import Point
from epsl_opt.planning.race import Slice
from epsl_opt.solvers.exact import Exact
from epsl_opt.training.files import open_training, run_training
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import FittedInstance, TrainingRequest

TARGET = 0.9
POINT = Point(Framework.PSL, 0.0, "early", 8, 3, 0.4)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the toy trains, and only `exact` solves."""
    register_training_toys(monkeypatch, Exact)
    held._held.clear()


def pilots(folder: Path, instance: Instance, options: ToyTrainingOptions | None = None, point: Point = POINT) -> Pilots:
    """Return pilots of a point on an instance."""
    base = TrainingRequest(
        backend=ToyBackend(),
        options=options or ToyTrainingOptions(),
        task="plane",
        goal=TrainingGoal(60, TARGET, evaluate_every=1),
    )
    priced = Pricing(instance, LIMITS).price(point)
    fitted = FittedInstance(base, instance, instance)
    return Pilots(base, fitted, {point: priced}, folder, ThisProcess(), None, StopRequest())


def instance() -> Instance:
    """Return the small instance; its cut layers have these names."""
    return small_instance()


def plan(**asked: Any) -> Plan:
    """Plan with the toy on a small grid."""
    given: dict[str, Any] = {
        "task": "plane",
        "target": TARGET,
        "frameworks": ["epsl", "psl", "sl"],
        "phi": [0.5],
        "batch_sizes": [8],
        "average_every": [None, 5],
        "learning_rates": [0.1, 0.5],
        "seeds": [0, 1],
        "rounds": 60,
        "backend": ToyBackend(),
    }
    return make_plan(instance(), **given | asked)


@pytest.mark.parametrize("forget", [False, True])
def test_slices_are_one_training(forget: bool, tmp_path: Path) -> None:
    """Slice by slice, from memory or from disk, a pilot shows what an undivided training has shown by that round."""
    sliced, whole = pilots(tmp_path / "sliced", instance()), pilots(tmp_path / "whole", instance())
    training = open_training(whole.setup(POINT, 3, 60))
    run_training(training)
    accuracy = [record.test_accuracy or 0.0 for record in training.records]
    for rounds in (1, 2, 5, 11, 60):
        if forget:
            held._held.clear()
        found = sliced.advance([Slice(POINT, 3, rounds)])[Slice(POINT, 3, rounds)]
        assert found.best_accuracy == max(accuracy[:rounds])
        assert found.reached == next((k + 1 for k, a in enumerate(accuracy[:rounds]) if a >= TARGET), None)
        assert found.rounds == min(rounds, len(accuracy))


def test_what_has_gone_further_is_seen_as_it_was(tmp_path: Path) -> None:
    """After an interruption the race is run again from its beginning: kept pilots answer as they did then."""
    slices = [Slice(POINT, 0, rounds) for rounds in (2, 4, 60)]
    first = [pilots(tmp_path, instance()).advance([each])[each] for each in slices]
    starts = len(ToyBackend.starts)
    again = [pilots(tmp_path, instance()).advance([each])[each] for each in slices]
    assert again == first
    assert len(ToyBackend.starts) == starts


def test_divergence_is_never_reaching(tmp_path: Path) -> None:
    """A pilot that diverges after the slice has not yet; one that has needs infinitely many rounds."""
    slow = replace(POINT, learning_rate=1e-9)
    own = pilots(tmp_path, instance(), ToyTrainingOptions(diverge_at=4), slow)
    early, late = Slice(slow, 0, 3), Slice(slow, 0, 9)
    assert not own.advance([early])[early].diverged
    found = own.advance([late])[late]
    assert found.diverged
    assert found.at_least == float("inf")


def test_a_plan_is_made_of_what_its_parts_say() -> None:
    """The winner has the least upper end, the certificate the least lower one, and rounds are counted once."""
    document = plan().document
    assert document.winner is not None
    winner = document.points[document.winner]
    assert winner.fate is Fate.WINNER
    assert winner.time_high_s == document.most_s
    assert document.most_s == min(each.time_high_s for each in document.points if each.time_high_s is not None)
    assert document.least_s == min(each.time_low_s for each in document.points if each.time_low_s is not None)
    assert document.pilot_rounds == sum(pilot.rounds for each in document.points for pilot in each.pilots)
    assert all(each.round_bound_s <= each.round_latency_s for each in document.points)


def test_an_unreachable_target_is_censored() -> None:
    """What nobody reaches has no winner and no command, and is not guessed."""
    found = plan(target=1.0, learning_rates=[1e-9], rounds=5)
    assert found.instance is None
    assert found.document.winner is None
    assert found.document.command == ()
    assert {each.fate for each in found.document.points} == {Fate.CENSORED}


def test_a_plan_needs_a_target() -> None:
    """Without a target there is nothing to plan for."""
    with pytest.raises(InputError, match="--target"):
        plan(target=None)


def test_stopping_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop ends the pilots with the round under way, and the same call comes to the plan of an undisturbed one."""
    request = StopRequest()
    monkeypatch.setattr("epsl_opt.planning.plan.StopRequest", lambda: request)
    rounds = iter(range(10**6))

    def stop(number: int) -> None:
        request.made = next(rounds) == 20

    monkeypatch.setattr("training_toys.ToySession.before_round", staticmethod(stop))
    with pytest.raises(PilotsInterrupted):
        plan(folder=tmp_path)
    request.made = False
    there = plan(folder=tmp_path).document.to_document()
    del there["command"]
    whole = plan().document.to_document()
    del whole["command"]
    assert there == whole


def test_the_winner_trains_in_the_time_that_the_plan_says(tmp_path: Path) -> None:
    """The winner's instance and schedule, trained with the seed of the command, reach the target within its ends."""
    found = plan(folder=tmp_path)
    document = found.document
    assert document.winner is not None
    assert found.instance is not None
    winner = document.points[document.winner]
    seed = int(document.command[document.command.index("--seed") + 1])
    reached = next(pilot.reached for pilot in winner.pilots if pilot.seed == seed)
    assert reached is not None
    assert winner.rounds_low is not None
    assert winner.rounds_high is not None
    assert winner.rounds_low <= reached <= winner.rounds_high
    assert found.schedule is not None
    assert found.schedule.is_for(found.instance)
    assert (document.single_low_s or 0) <= (winner.time_low_s or 0) <= (winner.time_high_s or 0)


def test_a_plan_file_is_read_back(tmp_path: Path) -> None:
    """What is written is the record again, and its winner's files are those of the plan."""
    from epsl_opt.core.json_record import parse_record, read_instance
    from epsl_opt.report.plan_files import write_plan

    found = plan(folder=tmp_path)
    write_plan(tmp_path, found)
    text = json.loads((tmp_path / "plan.json").read_text())
    assert parse_record(PlanDocument, text, "plan.json") == found.document
    there = read_instance(tmp_path / "instance.json")
    assert there == found.instance
    assert read_schedule(tmp_path / "schedule.json", there).is_for(there)
    assert {path.name for path in tmp_path.iterdir()} >= {"points.csv", "plan.png", "plan.svg", "pilots"}
