"""The greedy solver: what it says of how it ended is true."""

from __future__ import annotations

import pytest

from epsl_opt import Instance, Limits, Options, Schedule, SolveMonitor, StopReason, load_instance
from epsl_opt.solvers.paper.greedy import Greedy


class OffersUntilLate(SolveMonitor):
    """Time is up when a number of schedules has been offered."""

    def __init__(self, instance: Instance, offers: float) -> None:
        super().__init__(instance, Limits())
        self.offers, self.offered = offers, 0

    def offer(self, schedule: Schedule) -> float:
        self.offered += 1
        return super().offer(schedule)

    @property
    def out_of_time(self) -> bool:
        return self.offered >= self.offers


@pytest.mark.parametrize("scenario", ["paper", "paper:fading=rayleigh,seed=5"])
def test_a_time_limit_is_told_if_and_only_if_it_cost_a_cut_layer(scenario: str) -> None:
    """Whenever time is up, greedy says so, unless no cut layer was left that could have won."""
    instance = load_instance(scenario)
    whole = OffersUntilLate(instance, float("inf"))
    assert Greedy().solve(instance, Options(), whole) is StopReason.COMPLETED
    assert whole.offered > 1
    for offers in range(whole.offered + 1):
        cut_short = OffersUntilLate(instance, offers)
        reason = Greedy().solve(instance, Options(), cut_short)
        assert cut_short.offered == offers
        assert reason is (StopReason.TIME_LIMIT if offers < whole.offered else StopReason.COMPLETED)
