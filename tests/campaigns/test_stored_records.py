"""What a later command relies on is what was written, or made again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_toys import Steady, small_instance
from damage import damaged_bytes, damaged_json
from hypothesis import given, settings
from hypothesis import strategies as st
from study_toys import Squares
from training_toys import ToyTrainingOptions, toy_setup

from epsl_opt import Limits
from epsl_opt.campaigns.compare import compare
from epsl_opt.campaigns.comparison_runs import ComparisonRuns, Run
from epsl_opt.campaigns.engines import ThisProcess
from epsl_opt.campaigns.ranking import rank
from epsl_opt.campaigns.store import Store
from epsl_opt.campaigns.stored_training import StoredTraining
from epsl_opt.campaigns.study_points import PointDocument, point_key
from epsl_opt.campaigns.study_runs import run_points
from epsl_opt.files.json_files import write_record
from epsl_opt.plugins.study import StudySize
from epsl_opt.training.goal import TrainingGoal


@dataclass(frozen=True)
class Kept:
    """A kept file, and how it is read: as JSON-ready content, or None if it is to be made again."""

    path: Path
    load: Callable[[], Any]


def run_file(folder: Path) -> Kept:
    """Keep a run."""
    instance, solver = small_instance(), Steady()
    runs = ComparisonRuns([Run(instance, solver, solver.options_type(), Limits())], folder, None, ThisProcess())
    runs.run()
    ((key, run),) = runs.jobs.items()

    def load() -> Any:
        found = runs.load(key, run)
        return None if found is None else (found.to_document(), [row.to_dict() for row in rank([found], {})])

    return Kept(folder / f"{key}.json", load)


def point_file(folder: Path) -> Kept:
    """Keep a point of a study."""
    study = Squares()
    run_points(study, StudySize.QUICK, folder, engine=ThisProcess())
    key = point_key(study, {"x": 1})
    store = Store(folder, PointDocument, "point")

    def load() -> Any:
        found = store.load(key)
        return None if found is None else found.to_document() | {"sha256": None}

    return Kept(store.path(key), load)


def training_file(folder: Path, name: str) -> Kept:
    """Keep a finished training."""
    training = StoredTraining(toy_setup(goal=TrainingGoal(4, 0.5), checkpoint_every=5), folder)
    training.train()

    def load() -> Any:
        found = training.finished()
        return None if found is None else (_timeless(found[0].to_document()), [r.to_document() for r in found[1]])

    return Kept(folder / name, load)


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    return document | {"real_time_s": 0.0, "sha256": None}


KEPT: dict[str, Callable[[Path], Kept]] = {
    "run": run_file,
    "point": point_file,
    "summary.json": lambda folder: training_file(folder, "summary.json"),
    "records.csv": lambda folder: training_file(folder, "records.csv"),
}


@pytest.fixture(scope="module", params=KEPT)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A kept file of each kind."""
    return KEPT[request.param](tmp_path_factory.mktemp("store"))


def canonical(content: Any) -> str:
    """Return content as text that is equal for equal content."""
    return json.dumps(content, sort_keys=True, default=lambda value: value.tolist())


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_file_is_as_written_or_made_again(store: Kept, data: st.DataObject) -> None:
    """Whatever is done to a kept file, it says the same as before or counts as missing; nothing is raised."""
    content, expected = store.path.read_bytes(), canonical(store.load())
    assert expected != "null"
    kinds = [damaged_bytes(content)] + ([damaged_json(content)] if store.path.suffix == ".json" else [])
    damaged = data.draw(st.one_of(kinds))
    store.path.write_bytes(damaged)
    try:
        found = store.load()
    finally:
        store.path.write_bytes(content)
    assert found is None or canonical(found) == expected


@settings(max_examples=60)
@given(data=st.data())
def test_a_file_without_a_digest_is_well_formed_or_made_again(store: Kept, data: st.DataObject) -> None:
    """As older versions wrote it, a kept file is read; damaged, it never raises anything, not even in the tables."""
    content = store.path.read_bytes()
    if store.path.suffix == ".csv":
        return
    document = json.loads(content)
    for name in ("sha256", "records_sha256"):
        document.pop(name, None)
    old = json.dumps(document).encode()
    try:
        store.path.write_bytes(old)
        assert store.load() is not None
        store.path.write_bytes(data.draw(damaged_json(old)))
        store.load()
    finally:
        store.path.write_bytes(content)


def test_the_user_is_told_which_file_is_damaged(store: Kept, caplog: pytest.LogCaptureFixture) -> None:
    """One line names the file; a folder in its place is told, too."""
    content = store.path.read_bytes()
    try:
        store.path.write_bytes(b"\xff" + content)
        assert store.load() is None
        store.path.unlink()
        store.path.mkdir()
        assert store.load() is None
    finally:
        store.path.rmdir()
        store.path.write_bytes(content)
    assert len(caplog.messages) == 2
    assert all(message.startswith(str(store.path)) and "again" in message for message in caplog.messages)


def test_what_can_not_be_kept_counts_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where a folder stands in the place of a kept file, a campaign and a study say so and come to their end."""
    for folder, again in (
        (tmp_path / "runs", lambda: compare([small_instance()], [Steady()], folder=tmp_path / "runs").documents),
        (
            tmp_path / "points",
            lambda: run_points(Squares(), StudySize.QUICK, tmp_path / "points", engine=ThisProcess()).rows,
        ),
    ):
        folder.mkdir()
        expected, path = len(again()), sorted(folder.iterdir())[0]
        path.unlink()
        path.mkdir()
        caplog.clear()
        assert len(again()) == expected
        assert [message.partition(":")[0] for message in caplog.messages] == [str(path), str(path)]


def test_a_training_of_another_plan_is_not_taken_for_ones_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A whole and sound training that was moved into another one's folder is told, and trained again."""
    StoredTraining(toy_setup(goal=TrainingGoal(4)), tmp_path).train()
    training = StoredTraining(toy_setup(goal=TrainingGoal(4), options=ToyTrainingOptions(lr=0.25)), tmp_path)
    caplog.set_level(logging.WARNING)
    assert training.finished() is None
    assert "option lr (0.5, not 0.25)" in caplog.text
    assert training.train()[0].options["lr"] == 0.25


def test_a_new_field_stays_out_of_what_older_versions_read(tmp_path: Path) -> None:
    """A summary that was never written to a folder has neither digest, and one that was has them at its end."""
    training = StoredTraining(toy_setup(goal=TrainingGoal(2)), tmp_path)
    written, _ = training.train()
    assert list(written.to_document())[-2:] == ["records_sha256", "sha256"]
    bare = written.model_copy(update={"sha256": None, "records_sha256": None})
    assert not {"sha256", "records_sha256"} & set(bare.to_document())
    write_record(tmp_path / "summary.json", bare)
    assert training.finished() is not None
