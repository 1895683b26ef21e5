"""A small slice of the campaign: the first inputs of every part, most of them in this process, which has all loaded."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from campaign import toys
from campaign.faults import FaultKind
from campaign.laws_part import files_of_laws, law_faults
from campaign.parts import load
from campaign.run import CampaignPlan, repetition, run_campaign
from campaign.summary import summary_text, write_summary
from campaign.worker import prepare, try_one
from epsl_opt.plugins import registry

SLICE = {"tiny": range(4), "files": range(30), "options": range(30), "pictures": range(1), "networks": range(2)}

GENERATE_KILLED = 7
"""An input of `kills` that takes no longer than it must: `generate`, killed before it replaces its file."""

ODD_LAW = """
import pytest
from draws import draws


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(2))
def test_even(seed):
    assert seed % 2 == 0


def test_not_drawn():
    assert False
"""


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for what a part prepares, with the toys installed while the test runs."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(registry, "_entries", registry._entries.__wrapped__)
    for name, value in {"PYTHONPATH": "", "NO_COLOR": "1", "COLUMNS": "120"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    place = tmp_path / "workshop"
    place.mkdir()
    toys.install(place)
    monkeypatch.chdir(tmp_path)
    return place


def faults_of(name: str, numbers: Sequence[int], workshop: Path) -> list[str]:
    """Try inputs of a part with seed 0 and return the faults, each with the command that repeats it."""
    part = load(name)
    if missing := prepare(part, workshop):
        pytest.skip(missing)
    found = ((number, try_one(part, 0, number, workshop, workshop / "kept")) for number in numbers)
    return [f"{repetition(name, 0, number)}: {fault}" for number, faults in found for fault in faults]


@pytest.mark.parametrize("name", SLICE)
def test_the_first_inputs_of_a_part_have_no_fault(name: str, workshop: Path) -> None:
    """The first random inputs of a part find nothing."""
    assert faults_of(name, SLICE[name], workshop) == []


def test_a_killed_command_has_no_fault(workshop: Path) -> None:
    """A command that is killed leaves nothing behind, once it is run again."""
    assert faults_of("kills", [GENERATE_KILLED], workshop) == []


def test_a_law_holds_or_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The random tests of a file are run on the draws of the campaign alone, and one that fails is told."""
    test = tmp_path / "test_odd.py"
    test.write_text(ODD_LAW)
    shutil.copy(Path(__file__).parents[1] / "conftest.py", tmp_path)
    monkeypatch.chdir(tmp_path)
    (fault,) = law_faults(str(test), 10)
    assert fault.kind is FaultKind.BROKEN_LAW
    assert "test_even[11]" in fault.detail
    assert {"tests/solvers/test_exact.py", "tests/benchmarks/test_exact_scip.py"} <= set(files_of_laws())


def test_a_campaign_runs_in_processes_of_its_own_and_tells(tmp_path: Path) -> None:
    """A campaign divides its inputs among workers, counts them, and writes its table between the markers of a page."""
    plan = CampaignPlan(inputs=2, jobs=1, seed=0, parts=["tiny"], only=None, output=tmp_path / "kept")
    results = run_campaign(plan)
    assert [result.inputs for result in results] == [2]
    assert summary_text(results).splitlines()[0].split() == ["part", "inputs", "faults", "seconds"]
    page = tmp_path / "page.md"
    page.write_text("".join(f"<!-- table: {name} -->\n<!-- end of {name} -->\n" for name in ("faults", "campaign")))
    write_summary(page, 0, results)
    assert "`make campaign PART=tiny INPUTS=2 SEED=0`" in page.read_text()
    assert "| all | 2 |" in page.read_text()
    write_summary(page, 7, [replace(results[0], name="files", inputs=40)])
    assert "`make campaign PART=tiny INPUTS=2 SEED=0`" in page.read_text()
    assert "| all | 42 |" in page.read_text()
