"""What a version of epsl-opt has made counts for that version only, in comparisons, studies and trainings alike."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cli_toys import Steady, small_instance
from hypothesis import given, settings
from hypothesis import strategies as st
from study_toys import Squares
from training_toys import toy_setup

from epsl_opt.campaigns.compare import compare
from epsl_opt.campaigns.engines import ThisProcess
from epsl_opt.campaigns.study_runs import run_points
from epsl_opt.campaigns.trainings import train_cases
from epsl_opt.core import distribution
from epsl_opt.plugins.registry import plugin_version
from epsl_opt.plugins.study import StudySize
from epsl_opt.solving.provenance import versions
from epsl_opt.training import setup
from epsl_opt.training.goal import TrainingGoal


def compared(folder: Path) -> tuple[int, int]:
    """Compare, and return how many runs were asked for and how many of them reused."""
    found = compare([small_instance("one"), small_instance("two", clients=2)], [Steady()], folder=folder)
    return found.planned, found.reused


def studied(folder: Path) -> tuple[int, int]:
    """Run a study, and return how many points were asked for and how many of them reused."""
    found = run_points(Squares(), StudySize.QUICK, folder, engine=ThisProcess())
    return found.planned, found.reused


def trained(folder: Path) -> tuple[int, int]:
    """Train, and return how many trainings were asked for and how many of them reused."""
    found = train_cases([toy_setup(goal=TrainingGoal(2))], folder=folder)
    return found.trainings, found.reused


def run_as(version: str) -> None:
    """Have this process be another version of epsl-opt."""
    own = distribution.Checkout({"name": distribution.NAME, "version": version})
    versions.cache_clear()
    plugin_version.cache_clear()
    distribution.checkout = lambda: own  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def this_version_again() -> object:
    """Leave everything as it was."""
    genuine = distribution.checkout
    yield
    distribution.checkout = genuine
    versions.cache_clear()
    plugin_version.cache_clear()


@pytest.mark.parametrize("user", [compared, studied, trained])
@settings(max_examples=15)
@given(history=st.lists(st.sampled_from(["0.0.8", "0.0.9", "0.1.0"]), min_size=1, max_size=5))
def test_a_result_is_found_again_by_its_own_version_only(
    user: Callable[[Path], tuple[int, int]], history: Sequence[str]
) -> None:
    """Whatever versions come in whatever order, each makes everything once, and no other one's results count for it."""
    with TemporaryDirectory() as place:
        seen: set[str] = set()
        for version in history:
            run_as(version)
            planned, reused = user(Path(place))
            assert reused == (planned if version in seen else 0)
            seen.add(version)


@pytest.mark.parametrize("user", [compared, studied, trained])
def test_results_of_another_version_are_told_in_one_line(
    user: Callable[[Path], tuple[int, int]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After an upgrade one line says how many results there are of which version; without one, nothing is said."""
    caplog.set_level(logging.WARNING)
    run_as("0.0.9")
    planned, _ = user(tmp_path)
    user(tmp_path)
    assert caplog.messages == []
    run_as("0.1.0")
    user(tmp_path)
    user(tmp_path)
    assert [message.partition(":")[0] for message in caplog.messages] == [str(tmp_path)]
    assert f"{planned} by 0.0.9" in caplog.text
    assert "this one, 0.1.0," in caplog.text


def test_a_training_by_another_version_of_a_strangers_backend_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend's own version counts like ours; that of the backends that come with epsl-opt is ours."""
    keys = []
    for installed in (None, distribution.version(), "1.0", "2.0"):
        monkeypatch.setattr(setup, "plugin_version", lambda group, name, found=installed: found)
        keys.append(toy_setup(goal=TrainingGoal(2)).learning_key)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
