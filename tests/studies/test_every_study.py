"""What holds for every registered study, so that the frame can run, resume and report it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from epsl_opt.campaigns.study_points import point_key
from epsl_opt.plugins import registry
from epsl_opt.plugins.study import Study, StudySize

NAMES = registry.names(registry.STUDIES)
ROOT = Path(__file__).parents[2]
WITHOUT_TORCH = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else find(name, *rest)
class Absent:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Absent())
from epsl_opt.cli.app import run
sys.exit(run(["study", "--format", "json"]))
"""


@pytest.fixture(params=NAMES)
def study(request: pytest.FixtureRequest) -> Study:
    """Each registered study."""
    return registry.load_study(request.param)


def test_it_is_found_under_its_name(study: Study) -> None:
    """A study has the name it is registered under, a title, and a question in one line."""
    assert registry.load_study(study.name).name == study.name
    assert study.name in NAMES
    for text in (study.title, study.question):
        assert text == " ".join(text.split())
        assert text
    assert study.question.endswith("?")
    assert isinstance(study.measures_time, bool)
    assert study.revision >= 1


@pytest.mark.parametrize("size", StudySize)
def test_its_points_differ_and_stay_the_same(study: Study, size: StudySize) -> None:
    """No point comes twice, every call and every new object gives the same points, and they are plain values."""
    points = study.points(size)
    assert len({point_key(study, point) for point in points}) == len(points) > 0
    assert list(points) == list(type(study)().points(size))
    assert [dict(point) for point in points] == json.loads(json.dumps([dict(point) for point in points]))


def test_the_quick_version_is_the_smaller_one(study: Study) -> None:
    """There are fewer points in the quick version than in the full one."""
    assert len(study.points(StudySize.QUICK)) < len(study.points(StudySize.FULL))


def test_it_goes_to_other_processes(study: Study) -> None:
    """A study can be sent to the processes that run its points."""
    found = pickle.loads(pickle.dumps(study))
    assert type(found) is type(study)
    assert found.points(StudySize.QUICK) == study.points(StudySize.QUICK)


def test_it_has_a_place_in_the_manual(study: Study) -> None:
    """The manual of the studies says what each of them asks."""
    assert f"`{study.name}`" in (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")


def test_all_are_listed_where_nothing_can_be_trained() -> None:
    """Without PyTorch, every study is listed with its question; what needs it says so in one line that names it."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True)
    listed = json.loads(done.stdout)
    assert [entry["name"] for entry in listed] == NAMES
    assert all(entry["question"] for entry in listed)
    for lacks in {entry["missing"] for entry in listed} - {None}:
        assert lacks == " ".join(lacks.splitlines())
        assert "torch" in lacks
