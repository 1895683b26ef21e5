"""What is certain of a point's rounds, against schedules that are tried."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cli_toys import round_robin, small_instance
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError, Instance, load_instance, solve
from epsl_opt.core.framework import Framework
from epsl_opt.core.round_timing import round_timing
from epsl_opt.planning.latency import Pricing
from epsl_opt.planning.plan import LIMITS
from epsl_opt.planning.point import Point

TIMED = (Framework.EPSL, Framework.PSL, Framework.SFL, Framework.SFL_V2, Framework.SL, Framework.FL)
INSTANCES = {"small": small_instance(), "paper": load_instance("paper:clients=3,subchannels=6")}
PRICINGS = {name: Pricing(instance, LIMITS) for name, instance in INSTANCES.items()}


def cuts(instance: Instance) -> list[str]:
    """Return names of cut layers, at most three."""
    return [cut.name for cut in instance.model.cut_layers][:3]


@pytest.mark.parametrize("name", INSTANCES)
@given(st.data())
def test_no_schedule_beats_the_bounds(name: str, data: st.DataObject) -> None:
    """So many rounds take under any schedule at least what is told, and under the one found at most what is told."""
    instance, framework = INSTANCES[name], data.draw(st.sampled_from(TIMED))
    ratio = data.draw(st.sampled_from([0.25, 1.0])) if framework is Framework.EPSL else 0.0
    averaging = data.draw(st.sampled_from([None, 1, 3, 10])) if framework.averages_on_request else None
    point = Point(framework, ratio, data.draw(st.sampled_from(cuts(instance))), 4, averaging)
    found = PRICINGS[name].price(point)
    others = [solve(found.instance, solver).schedule for solver in ("greedy", "baseline-a")]
    others.append(round_robin(found.instance))
    rounds = data.draw(st.integers(1, 40))
    mine = found.timing.simulated_time_s(rounds)
    assert mine <= found.most_s(rounds) * (1 + 1e-9)
    for schedule in others:
        if schedule is not None:
            timing = round_timing(found.instance, schedule, framework, averaging)
            assert found.least_s(rounds) <= timing.simulated_time_s(rounds) * (1 + 1e-9)
    assert found.least_s(rounds) <= mine * (1 + 1e-9)
    assert found.plain_bound_s <= found.mean_bound_s <= found.round_s * (1 + 1e-12)


@given(st.floats(0, 100), st.sampled_from([None, 1, 5]))
def test_rounds_within_a_time(time_s: float, averaging: int | None) -> None:
    """It is the first number of rounds that takes longer than the time."""
    found = PRICINGS["small"].price(Point(Framework.PSL, 0.0, cuts(INSTANCES["small"])[0], 4, averaging))
    rounds = found.rounds_within(time_s)
    assert found.least_s(rounds) > time_s
    assert rounds == 0 or found.least_s(rounds - 1) <= time_s


def test_points_that_share_a_problem_share_its_solution() -> None:
    """Ways to train whose rounds are one problem are one solve: PSL, EPSL(0), and each of them without averaging."""
    pricing, cut = Pricing(INSTANCES["small"], LIMITS), cuts(INSTANCES["small"])[0]
    pricing.price(Point(Framework.PSL, 0.0, cut, 4, 5))
    assert len(pricing.solved) == 2
    pricing.price(Point(Framework.EPSL, 0.0, cut, 4, None))
    pricing.price(Point(Framework.PSL, 0.0, cut, 4, None))
    pricing.price(Point(Framework.PSL, 0.0, cut, 4, 5))
    assert len(pricing.solved) == 2


def test_another_clock_times_the_same_training() -> None:
    """EPSL that costs what PSL does has PSL's rounds, and still aggregates where it trains."""
    pricing, cut = Pricing(INSTANCES["small"], LIMITS), cuts(INSTANCES["small"])[0]
    plain = pricing.price(Point(Framework.PSL, 0.0, cut, 4, None))
    found = pricing.price(Point(Framework.EPSL, 0.5, cut, 4), Framework.PSL)
    assert math.isclose(found.round_s, plain.round_s, rel_tol=1e-2)
    assert found.mean_bound_s <= plain.round_s
    assert found.instance.training.aggregation_ratio == 0.5
    assert found.document.is_for(found.instance)


def test_no_schedule_is_one_line() -> None:
    """An instance without a schedule is refused, saying why."""
    instance = INSTANCES["small"]
    dead = instance.replace(channel=instance.channel.model_copy(update={"uplink_gain": np.zeros((3, 5))}))
    with pytest.raises(InputError, match="has no schedule"):
        Pricing(dead, LIMITS).price(Point(Framework.PSL, 0.0, cuts(instance)[0], 4, None))


def test_linear_bounds_hold_for_means() -> None:
    """The least time of a mean of rounds is at most the mean of the least times."""
    found = PRICINGS["small"].price(Point(Framework.PSL, 0.0, cuts(INSTANCES["small"])[0], 4, 5))
    for a, b in ((1, 9), (3, 4), (2, 80)):
        assert found.least_s((a + b) / 2) <= (found.least_s(a) + found.least_s(b)) / 2 + 1e-12
    assert math.isclose(found.most_s(10), found.timing.simulated_time_s(10))
