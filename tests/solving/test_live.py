"""The generator of schedules: each from the last verified one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cli_toys import Broken, Empty, Steady, small_instance
from strategies import decision

from epsl_opt import InputError, Instance, Schedule, SolveMonitor, StopReason, solve
from epsl_opt.solving.live import Rescheduler, reschedule


class Keeper(Steady):
    """Keeps the start if there is one; remembers what it was given."""

    name = "keeper"

    def __init__(self) -> None:
        self.starts: list[Schedule | None] = []

    def solve(self, instance: Instance, options: object, monitor: SolveMonitor) -> StopReason:
        """Take the start, or do as the steady one does."""
        self.starts.append(monitor.take_start())
        return StopReason.COMPLETED if self.starts[-1] is not None else super().solve(instance, options, monitor)


def test_each_starts_from_the_last_schedule() -> None:
    """The first solve has no start, each later one the very schedule before; an infeasible instance is skipped over."""
    keeper = Keeper()
    crowded = small_instance("crowded", clients=6)
    results = list(reschedule([small_instance("a"), crowded, small_instance("b"), small_instance("c")], keeper))
    assert [result.instance_name for result in results] == ["a", "crowded", "b", "c"]
    assert [result.schedule is None for result in results] == [False, True, False, False]
    assert [decision(start) for start in keeper.starts] == [decision(results[k].schedule) for k in (1, 0, 2)]
    assert [result.warm_start for result in results] == [None, False, True, True]


def test_cold_never_has_a_start() -> None:
    """With `warm=False` no solve is given anything."""
    keeper = Keeper()
    for result in reschedule([small_instance()] * 3, keeper, warm=False):
        assert result.warm_start is None
    assert keeper.starts == [None] * 3


def test_instances_are_asked_for_one_by_one() -> None:
    """The next instance is not drawn before the result of the last has been taken, so that gains can be measured."""
    drawn: list[int] = []

    def gains() -> Iterator[Instance]:
        for n in range(3):
            drawn.append(n)
            yield small_instance()

    results = reschedule(gains(), Steady())
    assert drawn == []
    next(results)
    assert drawn == [0]


@pytest.mark.parametrize("solver", [Broken(), Empty()])
def test_a_failure_keeps_the_last_schedule(solver: Steady) -> None:
    """A run without a schedule leaves the last one in memory."""
    rescheduler = Rescheduler(solver)
    last = rescheduler.last = solve(small_instance(), Steady()).schedule
    rescheduler.solve(small_instance())
    assert rescheduler.last is last


def test_bad_options_are_refused_at_the_call() -> None:
    """An unknown solver or option is an error before any instance is drawn."""
    with pytest.raises(InputError, match="no-such"):
        reschedule([], "no-such")
    with pytest.raises(InputError, match="did you mean scale"):
        reschedule([], Steady(), options={"scal": 1})
