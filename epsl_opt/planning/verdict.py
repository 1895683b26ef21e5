"""What the race comes to: the fate of every point, with its reason, and what is certain in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from epsl_opt.files.plan_document import Fate
from epsl_opt.planning.spread import Spread
from epsl_opt.planning.standing import Standing


@dataclass(frozen=True)
class Verdict:
    """Which point wins, and what is certain; times in simulated seconds.

    Parameters
    ----------
    winner
        Has the least upper end; None if no point reaches the target for sure.
    least_s
        The least lower end of all points; inf if none ever gets there.
    most_s
        The winner's upper end; inf without one.
    """

    standings: Sequence[Standing]
    spread: Spread
    winner: Standing | None
    least_s: float
    most_s: float

    @classmethod
    def of(cls, standings: Sequence[Standing], spread: Spread) -> Verdict:
        """Judge standings."""
        best = min(standings, key=lambda each: each.most_s(spread))
        most_s = best.most_s(spread)
        winner = None if math.isinf(most_s) else best
        return cls(standings, spread, winner, min(each.least_s(spread) for each in standings), most_s)

    def fate(self, standing: Standing) -> tuple[Fate, str]:
        """Return what became of a point, and why in a sentence."""
        low_s, high_s = standing.least_s(self.spread), standing.most_s(self.spread)
        if standing is self.winner:
            return Fate.WINNER, f"No other point has an upper end below its {high_s:.4g} s."
        if any(pilot.diverged for pilot in standing.pilots.values()):
            return Fate.BY_PILOTS, "Training diverges."
        if low_s > self.most_s:
            return self._ruled_out(standing, low_s)
        if math.isinf(high_s):
            return Fate.CENSORED, self._censored(standing, low_s)
        return Fate.CONTENDER, f"It takes {low_s:.4g} to {high_s:.4g} s, which overlaps what the winner takes."

    def certificate(self) -> str:
        """Return what is certain of the grid, in words."""
        if math.isinf(self.least_s):
            return "No point of this grid reaches the target: every pilot diverged."
        given = "On this grid, if N lies in the stated intervals"
        sooner = f"nothing is sooner than {self.least_s:.4g} s"
        if self.winner is None:
            return f"{given}, {sooner}; no point is known to reach the target within the horizon."
        return f"{given}, {sooner}, and this plan takes at most {self.most_s:.4g} s."

    def _ruled_out(self, standing: Standing, low_s: float) -> tuple[Fate, str]:
        limit = f"more than the winner's {self.most_s:.4g} s"
        if not standing.rounds and standing.given is None:
            return Fate.BY_LATENCY, f"One round takes at least {low_s:.4g} s, {limit}."
        low = standing.interval(self.spread).low
        return Fate.BY_PILOTS, f"At least {low:.4g} rounds take at least {low_s:.4g} s, {limit}."

    def _censored(self, standing: Standing, low_s: float) -> str:
        pilots = standing.pilots.values()
        missing = [pilot for pilot in pilots if pilot.reached is None]
        longest = max((pilot.rounds for pilot in missing), default=0)
        best = max((pilot.best_accuracy or 0.0 for pilot in missing), default=0.0)
        where = f"{len(missing)} of {len(standing.pilots)} pilots did not reach the target in up to {longest} rounds"
        return f"{where} (best accuracy {best:.3f}); it takes at least {low_s:.4g} s."
