"""A point of the grid: one way to train."""

from __future__ import annotations

from dataclasses import dataclass

from epsl_opt.core.framework import Framework
from epsl_opt.training.setup import method_name

SEQUENTIAL = frozenset({Framework.SL, Framework.SFL_V2})
"""Frameworks whose server-side model steps once per client and round, which takes smaller learning rates."""


@dataclass(frozen=True)
class Point:
    """One way to train.

    Parameters
    ----------
    framework
        How clients and server train together.
    aggregation_ratio
        phi; 0 for every framework but EPSL.
    cut_layer
        The last layer that clients hold, by name; without effect for FL.
    batch_size
        b, samples per client and round.
    average_every
        I: client-side models are averaged every so many rounds, for EPSL and PSL; never if None.
    learning_rate
        Of all models; the backend's if None.
    """

    framework: Framework
    aggregation_ratio: float
    cut_layer: str
    batch_size: int
    average_every: int | None = None
    learning_rate: float | None = None

    @property
    def label(self) -> str:
        """The point as people write it."""
        method = method_name(self.framework.value, self.aggregation_ratio, self.average_every)
        rate = "" if self.learning_rate is None else f", lr {self.learning_rate:g}"
        return f"{method} at {self.cut_layer}, b {self.batch_size}{rate}"
