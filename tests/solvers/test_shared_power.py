"""Power control where the same powers serve the uplink phase and an exchange of models."""

from __future__ import annotations

import math

import numpy as np
import pytest
from draws import draws, examples
from hostile import hostile_instances
from hypothesis import given
from hypothesis import strategies as st
from strategies import resized

from epsl_opt import Instance, check
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.frameworks import instance_round
from epsl_opt.solvers.convex.power_control import ReferencePowerControl
from epsl_opt.solvers.primal.power_control import best_schedule, head_start_s, rows_of, sending_s, sending_times_s
from epsl_opt.solvers.primal.shared_power import SharedPower, TwoPhases
from epsl_opt.solvers.primal.traffic import Traffic
from epsl_opt.testing.instances import draw_instance


def _case(seed: int) -> tuple[Instance, IntArray]:
    """An instance of SplitFed, scarce in power or not, with models small or large, and an allocation."""
    random = np.random.default_rng(seed)
    C = int(random.integers(1, 8))
    M = C + int(random.integers(0, 2 * C))
    total_w = float(random.choice([0.02, 0.3, 2.0, 20.0]))
    drawn = draw_instance("drawn", seed, C, M, 1, total_uplink_power_w=total_w)
    instance = drawn.replace(model=resized(drawn, float(10 ** random.uniform(-2, 1.5))))
    owner = random.permutation(np.r_[np.arange(C), random.integers(0, C, M - C)])
    return instance.with_training(framework=Framework.SFL), owner


@pytest.mark.parametrize("seed", draws(20))
def test_the_sum_of_both_phases_is_the_convex_programs(seed: int) -> None:
    """Uplink phase and exchange together take what CVXPY and Clarabel find, to their accuracy."""
    instance, owner = _case(seed)
    costs = cut_costs(instance, 0)
    found = float(sending_s(rows_of(instance, owner[None, :]), instance, costs)[0])
    assert found == pytest.approx(ReferencePowerControl(instance, costs, owner).phase_s(), rel=1e-5)


@pytest.mark.parametrize("seed", draws(40))
def test_no_other_split_of_time_is_better(seed: int) -> None:
    """Whatever share of the head starts is used, the sum is no less than the one found, to 1e-12."""
    instance, owner = _case(seed)
    costs = cut_costs(instance, 0)
    rows = rows_of(instance, owner[None, :])
    slack, exchange = (float(part[0]) for part in sending_times_s(rows, instance, costs))
    limit = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    nats = math.log(2) * costs.uplink_bits, math.log(2) * costs.exchange_bits
    traffic = Traffic(nats[0], head_start_s(costs))
    power = SharedPower.of(rows.filling, instance.server.total_uplink_power_w, limit)
    shared = TwoPhases(power, traffic, nats[1])
    for theta in np.linspace(0.0, head_start_s(costs).max(), 50):
        other = shared._at(np.array([theta]), np.array([0]))
        assert slack + exchange <= float(other.sum_s[0]) * (1 + 1e-12)


@pytest.mark.parametrize("seed", draws(40))
def test_the_powers_take_the_time_found(seed: int) -> None:
    """The schedule with these powers keeps every limit and its phases end as said."""
    instance, owner = _case(seed)
    costs = cut_costs(instance, 0)
    schedule = best_schedule(instance, costs, 0, owner)
    assert schedule is not None
    assert check(instance, schedule) == []
    stages = instance_round(instance, schedule)
    found = float(sending_s(rows_of(instance, owner[None, :]), instance, costs)[0])
    assert stages.uplink_phase_s + stages.slowest_upload_s == pytest.approx(found, rel=1e-9)


@examples(30)
@given(hostile_instances(), st.integers(0, 2**32 - 1))
def test_a_batch_equals_one_by_one(instance: Instance, seed: int) -> None:
    """Allocations evaluated together take what each takes alone."""
    owners = np.random.default_rng(seed).integers(0, instance.n_clients, (3, instance.n_subchannels))
    costs = cut_costs(instance, 0)
    together = sending_s(rows_of(instance, owners), instance, costs)
    alone = [float(sending_s(rows_of(instance, owner[None, :]), instance, costs)[0]) for owner in owners]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
