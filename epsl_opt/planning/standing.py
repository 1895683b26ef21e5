"""Where a point stands in the race: its pilots so far, and what they say of its time to target."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from epsl_opt.core.defaults import MAX_WHOLE
from epsl_opt.planning.latency import PointLatency
from epsl_opt.planning.point import Point
from epsl_opt.planning.spread import RoundsInterval, Spread


@dataclass(frozen=True)
class Pilot:
    """A pilot training so far.

    Parameters
    ----------
    rounds
        Done.
    reached
        The round at which the target was reached, if it was.
    diverged
        Whether it left the finite numbers: it never gets there.
    best_accuracy
        Of all rounds so far; None before the first.
    """

    rounds: int = 0
    reached: int | None = None
    diverged: bool = False
    best_accuracy: float | None = None

    @property
    def at_least(self) -> float:
        """The rounds to target, or what they are at least."""
        if self.reached is not None:
            return self.reached
        return math.inf if self.diverged else self.rounds + 1

    def over(self, horizon: int) -> bool:
        """Return whether no further round is of use."""
        return self.reached is not None or self.diverged or self.rounds >= horizon


@dataclass
class Standing:
    """A point, what its rounds take, and its pilots by seed, or the rounds that it is given.

    A seed that has not got there at the horizon leaves no upper end.
    """

    point: Point
    latency: PointLatency
    pilots: dict[int, Pilot] = field(default_factory=dict)
    given: RoundsInterval | None = None
    horizon: int = MAX_WHOLE

    @property
    def reached(self) -> list[int]:
        """Rounds to target of the seeds that got there."""
        return [pilot.reached for pilot in self.pilots.values() if pilot.reached is not None]

    @property
    def rounds(self) -> int:
        """Rounds of all pilots."""
        return sum(pilot.rounds for pilot in self.pilots.values())

    def interval(self, spread: Spread) -> RoundsInterval:
        """Return what is known of the rounds to target; censored seeds give a lower end only."""
        if self.given is not None:
            return self.given
        reached = self.reached
        if not reached:
            return RoundsInterval(self._least(spread), math.inf)
        found = spread.interval(reached)
        missing = [pilot for pilot in self.pilots.values() if pilot.reached is None]
        if not missing:
            return found
        if any(pilot.at_least > found.high or pilot.over(self.horizon) for pilot in missing):
            return RoundsInterval(self._least(spread), math.inf)
        return found

    def least_s(self, spread: Spread) -> float:
        """Return what the time to target is at least, in simulated seconds; inf where a seed never gets there."""
        low = self.interval(spread).low
        return math.inf if math.isinf(low) else self.latency.least_s(low)

    def most_s(self, spread: Spread) -> float:
        """Return what the time to target is at most, in simulated seconds; inf where nobody knows."""
        high = self.interval(spread).high
        return math.inf if math.isinf(high) else self.latency.most_s(high)

    def _least(self, spread: Spread) -> float:
        """Return the lower end from seeds that got there and others that have not, yet.

        A seed that is still on its way says nothing before that raises the lower end.
        """
        reached: list[float] = [float(rounds) for rounds in self.reached]
        missing = sorted((pilot.at_least for pilot in self.pilots.values() if pilot.reached is None), reverse=True)
        counts = range(0 if reached else 1, len(missing) + 1)
        return max((spread.least(reached + missing[:count]) for count in counts), default=1.0)
