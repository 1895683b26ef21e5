"""The grid that is searched: a few values for each decision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from epsl_opt.core.framework import Framework
from epsl_opt.planning.point import SEQUENTIAL, Point

NEVER = None
"""Of `average_every`: client-side models are never averaged."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The values of each decision; every combination that makes sense is a point.

    Parameters
    ----------
    frameworks, aggregation_ratios, batch_sizes, average_every
        As in `Point`; ratios are for EPSL only, I for EPSL and PSL.
    cut_layers
        By name.
    learning_rates
        The same for every framework.
    sequential_rates
        Those of SL and SFL-V2, if others: the server steps once per client there.

    Raises
    ------
    ValueError
        If there is no value for a decision.
    """

    frameworks: Sequence[Framework]
    aggregation_ratios: Sequence[float]
    cut_layers: Sequence[str]
    batch_sizes: Sequence[int]
    average_every: Sequence[int | None] = (NEVER,)
    learning_rates: Sequence[float | None] = (None,)
    sequential_rates: Sequence[float | None] | None = None

    def __post_init__(self) -> None:
        for name in ("frameworks", "cut_layers", "batch_sizes", "average_every", "learning_rates"):
            if not getattr(self, name):
                raise ValueError(f"{name}: there must be at least one")
        if Framework.EPSL in self.frameworks and not self.aggregation_ratios:
            raise ValueError("aggregation_ratios: there must be at least one for epsl")

    def points(self) -> tuple[Point, ...]:
        """Return the points, each once: EPSL that aggregates nothing is PSL, and FL has no cut."""
        found = (
            Point(framework, ratio, cut, batch_size, averaging, rate)
            for framework, ratio in self._methods()
            for cut in (self.cut_layers if framework is not Framework.FL else self.cut_layers[:1])
            for batch_size in self.batch_sizes
            for averaging in (self.average_every if framework.averages_on_request else (NEVER,))
            for rate in self._rates(framework)
        )
        return tuple(dict.fromkeys(found))

    def _methods(self) -> Iterator[tuple[Framework, float]]:
        for framework in dict.fromkeys(self.frameworks):
            if framework is not Framework.EPSL:
                yield framework, 0.0
                continue
            for ratio in self.aggregation_ratios:
                yield (Framework.PSL if ratio == 0 else Framework.EPSL), ratio

    def _rates(self, framework: Framework) -> Sequence[float | None]:
        own = self.sequential_rates if framework in SEQUENTIAL else None
        return self.learning_rates if own is None else own
