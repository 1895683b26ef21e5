"""The walk through one EPSL round in docs/epsl.md is the way that a round really takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import FrameType

import pytest
from torch_sessions import session

from epsl_opt.backends import pytorch

PAGE = Path(__file__).parents[2] / "docs" / "epsl.md"
ROOM = Path(pytorch.__file__).resolve().parent
PHIS = (0.0, 0.5, 1.0)
COMPUTING = {
    ("torch/nn/modules/module.py", "_wrapped_call_impl"),
    ("torch/autograd/__init__.py", "backward"),
    ("torch/autograd/__init__.py", "grad"),
    ("torch/optim/sgd.py", "step"),
}
"""Where PyTorch begins a forward pass, a backward pass and an update."""


class Walk:
    """Notes which functions of the room are called, and which are under way whenever PyTorch computes."""

    def __init__(self) -> None:
        self.called: dict[str, set[str]] = {}
        self.on_the_way: dict[str, set[str]] = {}

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Note a call."""
        if event != "call":
            return
        path, function = Path(frame.f_code.co_filename), frame.f_code.co_name
        if path.resolve().parent == ROOM:
            self.called.setdefault(path.name, set()).add(function)
        elif any(str(path).endswith(file) and function == name for file, name in COMPUTING):
            for file, name in _callers(frame):
                self.on_the_way.setdefault(file, set()).add(name)


def _callers(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame is not None and frame.f_code.co_name != "train_round":
        if Path(frame.f_code.co_filename).resolve().parent == ROOM:
            yield Path(frame.f_code.co_filename).name, frame.f_code.co_name
        frame = frame.f_back
    if frame is not None:
        yield Path(frame.f_code.co_filename).name, frame.f_code.co_name


@pytest.fixture(scope="module")
def walk() -> Walk:
    """Follow a round of EPSL without, with some, and with nothing but aggregated positions."""
    found = Walk()
    for phi in PHIS:
        training = session(phi=phi)
        sys.setprofile(found)
        try:
            training.train_round()
        finally:
            sys.setprofile(None)
    return found


def section(title: str) -> str:
    """Return a section of the page."""
    return PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]


def documented() -> dict[str, list[str]]:
    """Return the functions that the walk names, by file."""
    rows = re.findall(r"^\| `(\w+\.py)` \| `([\w.]+)` \|", section("A round in four files"), re.M)
    found: dict[str, list[str]] = {}
    for file, name in rows:
        found.setdefault(file, []).append(name)
    return found


def test_four_files_lead_from_the_round_to_the_update(walk: Walk) -> None:
    """Every forward pass, backward pass and update of a round is reached through the four files of the page alone."""
    assert len(documented()) == 4
    assert set(walk.on_the_way) == set(documented())


def test_every_function_of_the_walk_is_called(walk: Walk) -> None:
    """Each function that the page names is where it says, and runs in a round."""
    for file, names in documented().items():
        for name in names:
            found: object = import_module(f"{pytorch.__name__}.{Path(file).stem}")
            for part in name.split("."):
                found = getattr(found, part)
            assert callable(found)
            assert name.rpartition(".")[2] in walk.called[file], name


def test_no_function_that_leads_to_the_models_is_left_out(walk: Walk) -> None:
    """Whatever is under way while PyTorch computes stands in the page, but for helpers of one function."""
    named = {(file, name.rpartition(".")[2]) for file, names in documented().items() for name in names}
    under_way = {(file, name) for file, names in walk.on_the_way.items() for name in names if name.isidentifier()}
    under_way = {(file, name) for file, name in under_way if not name.startswith("_")}
    assert under_way <= named


def test_what_else_runs_is_named(walk: Walk) -> None:
    """Besides the four files, a round runs those that the page names as where samples, seeds and rates come from."""
    others = set(re.findall(r"`(\w+\.py)`", section("A round in four files"))) - set(documented())
    assert set(walk.called) - set(documented()) == others
