"""The interface every solver implements, ours or a stranger's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.results import StopReason
from epsl_opt.plugins.monitor import SolveMonitor


class SolverKind(StrEnum):
    """What a user may expect of a solver."""

    EXACT = "exact"
    """Proves its gap, down to optimality given time."""
    RELAXATION = "relaxation"
    """Gives a proved bound and a schedule, but does not close the gap between them."""
    HEURISTIC = "heuristic"
    """Gives a schedule, no bound."""
    BASELINE = "baseline"
    """Deliberately leaves something unoptimised, for comparison."""


SolverOptions = Options
"""Another name of `Options`."""


@dataclass(frozen=True)
class Details:
    """A table of what else there is to know about a solver on this machine; all cells are text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


OptionsT = TypeVar("OptionsT", bound=Options)


class Solver(ABC, Generic[OptionsT]):
    """A solver: a name to be found by, one line about it, its options, and `solve`.

    Register a subclass under the entry-point group `epsl_opt.solvers`; prove it with `epsl_opt.testing`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    kind: ClassVar[SolverKind]
    options_type: ClassVar[type[Options]] = Options

    def unsupported(self, instance: Instance, options: OptionsT) -> str | None:
        """Return why this solver does not take `instance`, or None if it does."""
        return None

    def details(self) -> Details | None:
        """Return what `epsl-opt solvers NAME` shows besides the options, quickly and without importing much."""
        return None

    @abstractmethod
    def solve(self, instance: Instance, options: OptionsT, monitor: SolveMonitor) -> StopReason:
        """Search, telling `monitor` of every schedule worth keeping and every bound proved; return why it stopped.

        The instance is feasible as far as `feasibility.infeasibility` can tell. Stop soon after `monitor.out_of_time`.
        """


AnySolver: TypeAlias = Solver[Any]
"""A solver whatever its options are."""
