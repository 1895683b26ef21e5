"""A small slice of the campaign, and that the campaign sees the faults it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from campaign.run import Wish, repetition, run_campaign

SLICE = {"tiny": 3, "files": 40, "options": 30}


def slice_of(part: str, inputs: int, output: Path, only: int | None = None) -> list[str]:
    """Run a part and return its faults."""
    wish = Wish(inputs=inputs, jobs=1, seed=0, parts=[part], only=only, output=output)
    (result,) = run_campaign(wish)
    if result.missing:
        pytest.skip(result.missing)
    return [f"{repetition(part, 0, number)}: {fault}" for number, fault in result.faults]


@pytest.mark.parametrize("part", SLICE)
def test_the_first_inputs_of_a_part_have_no_fault(part: str, tmp_path: Path) -> None:
    """The first random inputs of a part find nothing."""
    assert slice_of(part, SLICE[part], tmp_path) == []


@pytest.mark.parametrize(("part", "number"), [("pictures", 0), ("networks", 0), ("kills", 7)])
def test_one_input_of_a_slow_part_has_no_fault(part: str, number: int, tmp_path: Path) -> None:
    """One folder of pictures, one network, one command that is killed: nothing."""
    assert slice_of(part, 1, tmp_path, number) == []
