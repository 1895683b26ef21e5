"""Which folders hold what to train on and what to test with, by the names that data sets give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from epsl_opt.backends.datasets.picture_files import folders_in
from epsl_opt.backends.datasets.telling import tell_once
from epsl_opt.core.errors import InputError

SIDE = re.compile(
    r"(?:seg|images?|imgs?|data|dataset)?[-_. ]?"
    r"(?:(?P<train>train(?:ing)?)|(?P<test>test(?:ing|s)?)|(?P<val>val(?:id(?:ation)?)?|dev))"
    r"[-_. ]?(?:set|data|dataset|images?|imgs?|split|folder)?"
)
"""In lower case: train, training, train_set, seg_train; test, testing, test-images; val, valid, validation, dev."""


@dataclass(frozen=True)
class Sides:
    """The folder of the classes to train on, and that of those to test with; None if they are to be split."""

    training: Path
    testing: Path | None


def find_sides(root: Path) -> Sides:
    """Return the sides below a root, where names tell them apart: a class may well be called `train`.

    The folder to test with is called like `test`, or else like `val`. Folders beside the sides are not used, and the
    log says so.

    Raises
    ------
    InputError
        If two folders could be the same side, or there are sides, but none with classes to train on.
    """
    by_side: dict[str, list[Path]] = {"train": [], "test": [], "val": []}
    folders = folders_in(root)
    for path in folders:
        if side := side_of(path.name):
            by_side[side].append(path)
    training = _only(root, by_side["train"])
    if training is None or not folders_in(training):
        _refuse_lone_sides(root, training, [path.name for paths in by_side.values() for path in paths])
        return Sides(root, None)
    testing = _only(root, by_side["test"]) or _only(root, by_side["val"])
    sides = Sides(_innermost(training), None if testing is None else _innermost(testing))
    if unused := [path.name for path in folders if path not in (training, testing)]:
        tell_once(f"{root}: not used: {', '.join(f'{name}/' for name in unused)}")
    return sides


def side_of(name: str) -> str | None:
    """Return `train`, `test` or `val` for what a folder's name says it is, or None."""
    found = SIDE.fullmatch(name.casefold())
    return found.lastgroup if found else None


def _only(root: Path, candidates: list[Path]) -> Path | None:
    if len(candidates) > 1:
        names = " and ".join(path.name for path in candidates)
        raise InputError(str(root), f"has {names}, of which only one can be meant; give a folder with one of them")
    return candidates[0] if candidates else None


def _refuse_lone_sides(root: Path, training: Path | None, names: list[str]) -> None:
    """With one such name a class may be called so; with two of them the sides are there, but not the classes."""
    if len(names) < 2:
        return
    if training is not None:
        raise InputError(str(training), "must have a folder for each of at least 2 classes, has 0")
    raise InputError(str(root), f"has {' and '.join(sorted(names))}, but nothing to train on; call that folder train")


def _innermost(side: Path) -> Path:
    """Step into `seg_train/seg_train` and its like, which archives unpack to."""
    while len(inner := folders_in(side)) == 1 and side_of(inner[0].name) == side_of(side.name):
        side = inner[0]
    return side
