"""This distribution's version and entry points: of the checkout that the code runs from, else as installed."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from importlib.metadata import Distribution, EntryPoint
from os import PathLike
from pathlib import Path
from typing import Any

NAME = "epsl-opt"
ROOT = Path(__file__).parents[2]
"""The checkout, or site-packages."""


class Checkout(Distribution):
    """The distribution that `pyproject.toml` beside the package describes, whatever is installed."""

    def __init__(self, project: dict[str, Any]) -> None:
        self._project = project

    def read_text(self, filename: str) -> str | None:
        """Return one of the files that an installed distribution would have."""
        if filename == "METADATA":
            return f"Metadata-Version: 2.1\nName: {self._project['name']}\nVersion: {self._project['version']}\n"
        if filename == "entry_points.txt":
            groups: dict[str, dict[str, str]] = self._project.get("entry-points", {})
            return "\n".join(
                line
                for group, entries in groups.items()
                for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
            )
        return None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        """Return where a file of the distribution is."""
        return ROOT / path


@cache
def checkout() -> Checkout | None:
    """Return the checkout that this package runs from, None if it is installed."""
    try:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return Checkout(project) if project["name"] == NAME else None
    except (OSError, ValueError, KeyError):
        return None


def version(package: str = NAME) -> str:
    """Return the version of a package; of this one, that of the code that runs.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If it is not installed.
    """
    own = checkout() if package == NAME else None
    return own.version if own is not None else metadata.version(package)


def entry_points(group: str) -> list[EntryPoint]:
    """Return what all distributions register under a group; this one, what the code that runs has."""
    installed = metadata.entry_points(group=group)
    own = checkout()
    if own is None:
        return list(installed)
    others = (entry for entry in installed if entry.dist is None or entry.dist.name != NAME)
    return [*own.entry_points.select(group=group), *others]
