"""Documented modules of version 0.1 are still found under their old names, and say where they are now."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from epsl_opt.core.moved import MOVED


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Old names are imported anew in every test."""
    for name in MOVED:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_name_hands_on_the_new_modules_content(old: str, new: str) -> None:
    """Whatever is public in the module is the same object under its old name, with a warning that names both."""
    moved, module = import_module(old), import_module(new)
    public = [name for name in vars(module) if not name.startswith("_")]
    for name in public:
        with pytest.warns(DeprecationWarning, match=rf"^{old}\.{name} is {new}\.{name} now$"):
            assert getattr(moved, name) is getattr(module, name)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = moved.no_such_name


def test_the_backend_interface_is_found_in_the_room_that_took_its_modules_name() -> None:
    """`epsl_opt.training` is a room now; what the module of that name held is still found there."""
    training = import_module("epsl_opt.training")
    with pytest.warns(
        DeprecationWarning, match=r"^epsl_opt\.training\.TrainingBackend is epsl_opt\.plugins\.backend\."
    ):
        assert training.TrainingBackend.__name__ == "TrainingBackend"


def test_no_other_name_is_found() -> None:
    """A module that never was stays an ImportError that names it."""
    with pytest.raises(ModuleNotFoundError, match=r"epsl_opt\.no_such_module"):
        import_module("epsl_opt.no_such_module")
