"""What cut layers cost under each framework, and the round that an instance is about."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROUNDS, instances, instances_with_schedules

from epsl_opt import Instance, Schedule, round_latency
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.frameworks import framework_round, instance_round
from epsl_opt.core.latency import downlink_rates_bps, transmission_time_s, uplink_rates_bps
from epsl_opt.core.round_timing import round_timing

Case = tuple[Instance, Schedule]


@given(instances_with_schedules(any_round=True))
def test_costs_and_round_are_one_definition(case: Case) -> None:
    """The phases that solvers make of a cut layer's costs add up to the round that the checker recomputes."""
    instance, schedule = case
    costs = cut_costs(instance, schedule.cut_layer)
    up, down = uplink_rates_bps(instance, schedule), downlink_rates_bps(instance, schedule)
    sent = costs.client_forward_s + transmission_time_s(costs.uplink_bits, up)
    received = costs.client_backward_s + transmission_time_s(costs.downlink_bits, down)
    exchanged = transmission_time_s(costs.exchange_bits, up)
    total = sent.max() + costs.shared_s + received.max() + exchanged.max()
    assert total == pytest.approx(instance_round(instance, schedule).round_latency_s, rel=1e-12)


@given(instances_with_schedules(), st.sampled_from(ROUNDS))
def test_an_instance_is_about_the_round_that_is_trained(case: Case, asked: dict[str, object]) -> None:
    """The round of an instance made for a framework is what its training takes, in the mean of rounds."""
    instance, schedule = case
    framework, every = asked.get("framework", Framework.EPSL), asked.get("average_every")
    trained = round_timing(instance, schedule, framework, every).mean.round_latency_s
    made = instance_round(instance.with_training(**asked), schedule).round_latency_s
    assert made == pytest.approx(trained, rel=1e-12)


@given(instances_with_schedules())
def test_psl_averaged_every_round_is_sfl(case: Case) -> None:
    """SplitFed and PSL whose client-side models are averaged after each round take the same time, stage by stage."""
    instance, schedule = case
    psl = instance_round(instance.with_training(framework=Framework.PSL, average_every=1), schedule)
    sfl = instance_round(instance.with_training(framework=Framework.SFL), schedule)
    assert psl.stage_times == sfl.stage_times
    assert psl.round_latency_s == sfl.round_latency_s


@given(instances_with_schedules())
def test_averaging_seldom_is_averaging_never(case: Case) -> None:
    """The more rounds there are between two averagings, the nearer a round comes to one without, from above."""
    instance, schedule = case
    plain = round_latency(instance, schedule).round_latency_s
    every = (1, 2, 10, 10**9)
    rounds = [instance_round(instance.with_training(average_every=n), schedule).round_latency_s for n in every]
    assert (np.diff([*rounds, plain]) <= 0).all()
    assert rounds[-1] == pytest.approx(plain, rel=1e-6)


@given(instances())
def test_a_round_has_one_way_to_be_written(instance: Instance) -> None:
    """EPSL's instance is the one without a framework, PSL's that with an aggregation ratio of 0: equal digests."""
    assert instance.with_training(framework=Framework.EPSL) == instance
    assert instance.with_training(framework=Framework.PSL) == instance.with_training(aggregation_ratio=0.0)
    sfl = instance.with_training(framework=Framework.SFL)
    assert sfl.training.framework is Framework.SFL
    assert sfl.with_training(framework=Framework.PSL) == instance.with_training(framework=Framework.PSL)
    assert "framework" not in instance.to_document()["training"]


@pytest.mark.parametrize("framework", [Framework.SFL, Framework.SL, Framework.FL])
def test_only_split_rounds_are_averaged_on_request(framework: Framework) -> None:
    """Averaging is refused, by its name, for a framework that averages anyhow or has nothing to average."""
    from strategies import small_instance

    with pytest.raises(ValueError, match="average_every"):
        small_instance().with_training(framework=framework, average_every=3)


@given(instances_with_schedules(), st.sampled_from(list(Framework)))
def test_the_framework_of_an_instance_does_not_change_other_rounds(case: Case, framework: Framework) -> None:
    """A round of a named framework is the same whatever framework the instance is about, phi aside."""
    instance, schedule = case
    made = instance.with_training(framework=framework)
    for other in (Framework.PSL, Framework.SFL, Framework.SL, Framework.FL):
        mine = framework_round(made, schedule, other).round_latency_s
        assert mine == framework_round(instance, schedule, other).round_latency_s
