"""The lowest versions that `pyproject.toml` allows, as constraints for pip: `python -m docs_tools.lowest > FILE`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

EXTRAS = ("train", "parquet", "dask")
"""Extras that users install; what tests and tools need is not held to its lowest version."""


def lowest(project: Mapping[str, Any]) -> Iterator[str]:
    """Yield `name==version` for every requirement of a `project` table that has a lower bound."""
    extras: Mapping[str, list[str]] = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(one for extra in EXTRAS for one in extras[extra])]:
        if found := re.match(r"([\w-]+)(?:\[[^]]*\])?>=([\w.]+)", requirement):
            yield f"{found[1]}=={found[2]}"


if __name__ == "__main__":
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    print("\n".join(lowest(tomllib.loads(text)["project"])))
