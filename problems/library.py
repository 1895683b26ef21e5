"""The instance library: named instances, regenerated from their seeds, with the best results known for each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import read_json
from epsl_opt.core.options import parse_options, unknown
from epsl_opt.core.record import AsTuple, Name, PositiveFloat, Record
from epsl_opt.core.results import relative_gap
from epsl_opt.problems.paper_options import PaperOptions
from epsl_opt.problems.scenario import PaperScenario

PATH = Path(__file__).parent / "library.json"


class BestKnown(Record):
    """The lowest verified round latency and the highest proved bound that any solver here has reached."""

    latency_s: PositiveFloat | None = None
    latency_solver: Name | None = None
    bound_s: PositiveFloat | None = None
    bound_solver: Name | None = None

    @property
    def gap(self) -> float | None:
        """(latency - bound) / latency, or None if either is unknown."""
        return relative_gap(self.latency_s, self.bound_s)

    @model_validator(mode="after")
    def _check_solvers(self) -> Self:
        """A number and who found it come together."""
        for figure in ("latency", "bound"):
            if (getattr(self, f"{figure}_s") is None) != (getattr(self, f"{figure}_solver") is None):
                raise ValueError(f"{figure}_solver: must be given together with {figure}_s")
        return self


class LibraryEntry(Record):
    """A named instance: the options of the paper's scenario that make it, and what is known about it."""

    name: Name
    description: Annotated[str, Field(min_length=1)]
    options: dict[str, Any]
    fingerprint: float = Field(allow_inf_nan=False, description="see `fingerprint`")
    best_known: BestKnown = BestKnown()

    def generate(self) -> Instance:
        """Draw the instance.

        Raises
        ------
        InputError
            If the options are wrong.
        """
        options = parse_options(PaperOptions, self.options, f"library instance {self.name}")
        return PaperScenario().generate(options).replace(name=self.name)


class Library(Record):
    """The file `library.json`."""

    format: Literal["epsl-opt/library"] = "epsl-opt/library"
    version: Literal[1] = 1
    entries: Annotated[tuple[LibraryEntry, ...], AsTuple, Field(min_length=1)]

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists; null where nothing is known yet."""
        return self.model_dump(mode="json")


def names() -> list[str]:
    """Return the names of all library instances, small ones first."""
    return [entry.name for entry in entries()]


def entries() -> tuple[LibraryEntry, ...]:
    """Return all library entries, small ones first."""
    return _shipped().entries


def load(name: str) -> Instance:
    """Draw a library instance.

    Raises
    ------
    InputError
        If there is none of that name; near matches are listed.
    """
    return _entry(name).generate()


def best_known(name: str) -> BestKnown:
    """Return the best results known for a library instance.

    Raises
    ------
    InputError
        If there is none of that name; near matches are listed.
    """
    return _entry(name).best_known


def read(path: Path) -> Library:
    """Read a library file.

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong.
    """
    return parse_record(Library, read_json(path), str(path))


def fingerprint(instance: Instance) -> float:
    """Return one number that tells instances apart: the mean of log10 of all positive numbers, weighted by position.

    Mathematics libraries disagree about the last bit of a logarithm, which would change a digest; this number stays the
    same to about twelve digits, and any change of the generator shows in it.
    """
    numbers = np.array([*_numbers(instance.replace(origin=None).to_document())])
    logarithms = np.log10(numbers[numbers > 0])
    return float(np.average(logarithms, weights=np.arange(1, logarithms.size + 1)))


@cache
def _shipped() -> Library:
    return read(PATH)


def _numbers(data: object) -> Iterator[float]:
    if isinstance(data, dict | list | tuple):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _numbers(value)
    elif isinstance(data, int | float):
        yield float(data)


def _entry(name: str) -> LibraryEntry:
    for entry in entries():
        if entry.name == name:
            return entry
    raise InputError("library instance", unknown(name, names()))
