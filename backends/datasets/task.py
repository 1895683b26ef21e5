"""What a task is: a name, options, and how its data are loaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import Field

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.core.errors import InputError
from epsl_opt.core.options import Options


class SplitOptions(Options):
    """Options of a task that has no test samples of its own, or may lack them."""

    test_fraction: float = Field(default=0.2, gt=0, le=0.5, description="of the samples are held out, class by class")
    seed: int | None = Field(default=None, ge=0, description="of the split; if not given, that of the training")

    def seed_or(self, seed: int) -> int:
        """Return the seed of the options, or else the given one."""
        return seed if self.seed is None else self.seed


@dataclass(frozen=True)
class Task:
    """A task by name: one line about it, its options, a function of (options, seed), and the network made for it."""

    name: str
    summary: str
    options_type: type[Options]
    load: Callable[[Any, int], Dataset]
    network: str | None = None

    @property
    def needs_files(self) -> bool:
        """Whether there is nothing to load unless somebody has put files into a folder."""
        root = self.options_type.model_fields.get("root")
        return root is not None and root.default is not None


def require(module: str, package: str, task: str) -> ModuleType:
    """Import what a task needs.

    Raises
    ------
    InputError
        If it does not import; the error says what to install.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, RuntimeError) as error:
        raise InputError(f"task {task}", f"needs {package}: pip install {package} ({error})") from error


def folder(root: Path, task: str) -> Path:
    """Return the folder that a user named.

    Raises
    ------
    InputError
        If there is none.
    """
    path = root.expanduser()
    if not path.is_dir():
        raise InputError(f"task {task}", f"{path} is not a folder; say where the data are with root=FOLDER", "root")
    return path
