"""The race: pilots go on in simulated time, until bounds and intervals rule their point out or seeds are enough.

Every step is decided by what all pilots have shown by then, so that neither the number of processes nor an
interruption changes what comes out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from epsl_opt.planning.point import Point
from epsl_opt.planning.spread import LEVEL, Spread
from epsl_opt.planning.standing import Pilot, Standing

GROWTH = 1.4
"""So much longer, in simulated time, each step lets pilots run that have not reached the target."""

FIRST_ROUNDS = 8
"""Of the point with the quickest rounds, in the first step."""

NEAR = 1.6
"""Points whose times lie within this factor of the incumbent's get their further seeds together with it."""


class Slice(NamedTuple):
    """A pilot that is to go on until it has done so many rounds."""

    point: Point
    seed: int
    rounds: int


Advance = Callable[[Sequence[Slice]], Mapping[Slice, Pilot]]


@dataclass
class Race:
    """Points in the race.

    Parameters
    ----------
    standings
        One for each point.
    seeds
        Of the pilots of a point, in their order.
    horizon
        Rounds after which a pilot ends in any case.
    level
        Of the intervals.
    clock_s
        How long first pilots have run, in simulated seconds.
    """

    standings: Sequence[Standing]
    seeds: Sequence[int]
    horizon: int
    level: float = LEVEL
    clock_s: float = 0.0

    def __post_init__(self) -> None:
        for each in self.standings:
            each.horizon = self.horizon

    def run(self, advance: Advance) -> None:
        """Run pilots until none is of use."""
        by_point = {each.point: each for each in self.standings}
        while slices := self.next_step():
            done = advance(slices)
            for each in slices:
                by_point[each.point].pilots[each.seed] = done[each]

    def next_step(self) -> list[Slice]:
        """Return which pilots go on now, and how far; none if the race is over.

        The incumbent and those near it get their seeds first, since nothing rules others out as a narrow interval of
        the best does; then first pilots go on, then the seeds that are left.
        """
        spread = self.spread()
        limit_s = self.limit_s(spread)
        alive = [each for each in self.standings if each.least_s(spread) <= limit_s]
        near = [each for each in alive if each.most_s(spread) <= NEAR * limit_s]
        return (
            self._more_seeds(near, limit_s)
            or self._first_seeds(alive, limit_s, spread)
            or self._more_seeds(alive, limit_s)
        )

    def spread(self) -> Spread:
        """Return the spread between seeds, over all points."""
        return Spread.pooled([each.reached for each in self.standings if len(each.reached) > 1], self.level)

    def limit_s(self, spread: Spread) -> float:
        """Return the least upper end of all times to target, the incumbent's; inf while there is none."""
        return min((each.most_s(spread) for each in self.standings), default=math.inf)

    def _first_seeds(self, among: Sequence[Standing], limit_s: float, spread: Spread) -> list[Slice]:
        """Return first pilots that are behind the clock, which goes on as soon as none is."""
        seed = self.seeds[0]
        left = [each for each in among if not self._pilot(each, seed).over(self.horizon)]
        if left and not self.clock_s:
            self.clock_s = FIRST_ROUNDS * min(each.latency.round_s for each in self.standings)
        while left:
            goals = {each.point: self._goal(each, limit_s, spread) for each in left}
            if behind := [each for each in left if goals[each.point] > self._pilot(each, seed).rounds]:
                return [Slice(each.point, seed, goals[each.point]) for each in behind]
            self.clock_s *= GROWTH
        return []

    def _goal(self, standing: Standing, limit_s: float, spread: Spread) -> int:
        """Return the rounds of a first pilot by the clock, and no more than rule its point out."""
        by_clock = standing.latency.rounds_within(self.clock_s) - 1
        if math.isinf(limit_s):
            return min(by_clock, self.horizon)
        ruled_out = math.ceil(standing.latency.rounds_within(limit_s) / spread.least([_MANY]) * _MANY)
        return min(by_clock, max(ruled_out, self._pilot(standing, self.seeds[0]).rounds + 1), self.horizon)

    def _more_seeds(self, among: Sequence[Standing], limit_s: float) -> list[Slice]:
        """Return the next pilot of each point that all its pilots before have taken to the target."""
        found = []
        for each in among:
            pilots = [self._pilot(each, seed) for seed in self.seeds]
            if pilots[0].reached is None or any(p.reached is None and p.over(self.horizon) for p in pilots):
                continue
            if (place := next((k for k, pilot in enumerate(pilots) if pilot.reached is None), None)) is not None:
                rounds = self._further(each, pilots[place].rounds, limit_s)
                found.append(Slice(each.point, self.seeds[place], rounds))
        return found

    def _further(self, standing: Standing, done: int, limit_s: float) -> int:
        enough = 0 if math.isinf(limit_s) else standing.latency.rounds_within(limit_s)
        return min(max(enough, math.ceil(done * GROWTH), done + 1), self.horizon)

    def _pilot(self, standing: Standing, seed: int) -> Pilot:
        return standing.pilots.get(seed, Pilot())


_MANY = 1e6
