"""The interface of a study: a question about EPSL, runs that can answer it, and what is concluded from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cell = str | int | float | None
Row = Mapping[str, Cell]
Point = Mapping[str, Cell]
"""What one run of a study varies: parameter -> value; a study's points differ from one another."""


class StudySize(StrEnum):
    """How much of a study is run."""

    QUICK = "quick"
    """Minutes: few seeds, to see what it is about."""
    FULL = "full"
    """What conclusions should rest on."""


class Verdict(StrEnum):
    """What the runs say about a claim."""

    HOLDS = "holds here"
    FAILS = "does not hold here"
    OPEN = "is left open"
    """The interval is too wide, or the runs say both."""
    OBSERVED = "observed"
    """There was no claim, this is what was seen."""


@dataclass(frozen=True)
class Finding:
    """A claim, what the runs say about it, and the numbers behind that, in one or two sentences."""

    claim: str
    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Table:
    """Rows to read and to sort; every row has all columns."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: Sequence[Row]

    @classmethod
    def of(cls, name: str, caption: str, rows: Sequence[Row]) -> Table:
        """Return a table of all columns of its rows, in the order in which they first come."""
        return cls(name, caption, tuple(dict.fromkeys(column for row in rows for column in row)), rows)


@dataclass(frozen=True)
class Picture:
    """A figure with the numbers in it.

    Parameters
    ----------
    name
        Of its files.
    caption
        What it shows, with seeds and counts.
    alt
        What somebody who can't see it should know.
    figure
        The drawing.
    numbers
        All that is drawn.
    """

    name: str
    caption: str
    alt: str
    figure: Figure
    numbers: Table


@dataclass(frozen=True)
class Section:
    """What a study tells: how it was made, what was found, and what can't be concluded."""

    setting: Sequence[str]
    findings: Sequence[Finding]
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    limits: Sequence[str] = ()


class Study(ABC):
    """A study: a name to be found by, a title, the question, its runs and its conclusions.

    Register a subclass under the entry-point group `epsl_opt.studies`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    measures_time: ClassVar[bool] = False
    """Whether rows hold measured times, which differ from run to run."""
    revision: ClassVar[int] = 1
    """To be raised when equal points give other rows than before: points that were kept are then run again."""

    def missing(self) -> str | None:
        """Return what to install before this study can run, or None."""
        return None

    @abstractmethod
    def points(self, size: StudySize) -> Sequence[Point]:
        """Return what is run, in the order of the rows."""

    @abstractmethod
    def run(self, point: Point) -> Sequence[Row]:
        """Run one point and return its rows; equal points give equal rows, measured times apart.

        The parameters of the point are put before the columns of its rows.
        """

    @abstractmethod
    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Return what the rows of all points that could be run say."""
