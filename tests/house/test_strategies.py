"""The shared strategies keep their promises."""

from __future__ import annotations

from hypothesis import given
from strategies import instances, instances_with_schedules

from epsl_opt import Instance, Schedule, check
from epsl_opt.core.feasibility import infeasibility


@given(instances())
def test_drawn_instances_are_feasible(instance: Instance) -> None:
    """Nothing that makes an instance infeasible is ever drawn."""
    assert infeasibility(instance) is None


@given(instances_with_schedules())
def test_drawn_schedules_are_feasible(case: tuple[Instance, Schedule]) -> None:
    """The checker finds nothing wrong with any drawn schedule."""
    assert check(*case) == []
