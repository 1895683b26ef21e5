"""PSL, SFL, vanilla SL and FL under the same instance and schedule."""

from __future__ import annotations

import math

import numpy as np
import plain_model
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, instances_with_schedules

from epsl_opt import Instance, Schedule, round_latency
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import (
    fl_round,
    framework_round,
    psl_round,
    round_latencies_s,
    sfl_round,
    vanilla_sl_round,
)
from epsl_opt.core.instance import Channel

Case = tuple[Instance, Schedule]


@given(instances_with_schedules())
def test_psl_is_epsl_that_aggregates_nothing(case: Case) -> None:
    """PSL equals the plain loops at phi = 0, whatever phi the instance has, and EPSL itself at phi = 0."""
    instance, schedule = case
    plain = instance.with_training(aggregation_ratio=0.0)
    found = psl_round(instance, schedule).round_latency_s
    assert found == pytest.approx(plain_model.round_latency_s(plain, schedule), rel=1e-12)
    assert found == round_latency(plain, schedule).round_latency_s


@given(instances_with_schedules())
def test_sfl_adds_the_exchange_of_client_side_models_to_psl(case: Case) -> None:
    """SFL is PSL plus the slowest upload and the broadcast of the client-side model, by plain loops."""
    instance, schedule = case
    bits = instance.model.cut_layers[schedule.cut_layer].client_parameter_bits
    slowest = min(plain_model.uplink_bps(instance, schedule, i) for i in range(instance.n_clients))
    extra = bits / slowest + bits / plain_model.broadcast_bps(instance)
    psl = plain_model.round_latency_s(instance.with_training(aggregation_ratio=0.0), schedule)
    assert sfl_round(instance, schedule).round_latency_s == pytest.approx(psl + extra, rel=1e-12)


@given(instances_with_schedules())
def test_fl_equals_the_plain_loops(case: Case) -> None:
    """FL is the slowest client's training of the whole network with its upload, then the broadcast of the network."""
    instance, schedule = case
    model, b = instance.model, instance.training.batch_size
    bits = model.total_parameter_bits
    slowest = max(
        b * (model.total_forward_flops + model.total_backward_flops) * client.cycles_per_flop / client.cycles_per_s
        + bits / plain_model.uplink_bps(instance, schedule, i)
        for i, client in enumerate(instance.clients)
    )
    expected = slowest + bits / plain_model.broadcast_bps(instance)
    assert fl_round(instance, schedule).round_latency_s == pytest.approx(expected, rel=1e-12)


@given(instances(max_clients=1, max_subchannels=1, max_cut_layers=2))
def test_vanilla_sl_of_one_client_is_its_psl_round_and_two_model_transfers(instance: Instance) -> None:
    """With one client and one subchannel, vanilla SL is PSL plus the client-side model down and up."""
    power = min(instance.max_power_w[0], instance.server.total_uplink_power_w)
    schedule = Schedule(0, [0], [power])
    bits = instance.model.cut_layers[0].client_parameter_bits
    down, up = plain_model.downlink_bps(instance, schedule, 0), plain_model.uplink_bps(instance, schedule, 0)
    expected = psl_round(instance, schedule).round_latency_s + bits / down + bits / up
    assert vanilla_sl_round(instance, 0).round_latency_s == pytest.approx(expected, rel=1e-9)


@given(instances())
def test_vanilla_sl_is_the_sum_of_the_clients_alone(instance: Instance) -> None:
    """A client's turn does not depend on who else is there."""
    turns = vanilla_sl_round(instance, 0).client_turn_s
    for i in range(instance.n_clients):
        alone = vanilla_sl_round(_only(instance, i), 0)
        assert turns[i] == pytest.approx(alone.round_latency_s, rel=1e-12)
    assert vanilla_sl_round(instance, 0).round_latency_s == pytest.approx(math.fsum(turns), rel=1e-12)


@given(instances_with_schedules())
def test_every_framework_has_a_finite_round(case: Case) -> None:
    """On a feasible schedule every framework's round is finite and positive, and SFL is never faster than PSL."""
    found = round_latencies_s(*case)
    assert all(0 < latency < math.inf for latency in found.values())
    assert found["SFL"] >= found["PSL"]


@given(instances_with_schedules(), st.sampled_from(Framework))
def test_stage_times_add_up_to_the_round(case: Case, framework: Framework) -> None:
    """In every framework the stages of those whom the others wait for take as long as the round."""
    found = framework_round(*case, framework)
    assert found.stage_times.round_latency_s == pytest.approx(found.round_latency_s, rel=1e-12)


@given(instances())
def test_a_client_that_cannot_send_makes_every_round_infinite(instance: Instance) -> None:
    """Zero uplink gain is an infinite latency in every framework, not a division error."""
    channel = instance.channel.model_copy(update={"uplink_gain": np.zeros_like(instance.channel.uplink_gain)})
    silent = instance.replace(channel=channel)
    C, M = instance.n_clients, instance.n_subchannels
    schedule = Schedule(0, [*range(C), *[0] * (M - C)], np.full(M, 1e-3))
    assert all(math.isinf(latency) for latency in round_latencies_s(silent, schedule).values())


def _only(instance: Instance, i: int) -> Instance:
    channel = instance.channel
    return instance.replace(
        clients=(instance.clients[i],),
        channel=Channel(
            uplink_gain=channel.uplink_gain[[i]],
            downlink_gain=channel.downlink_gain[[i]],
            noise_psd_w_per_hz=channel.noise_psd_w_per_hz,
        ),
    )
