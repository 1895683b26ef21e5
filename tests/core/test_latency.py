"""Rates and stage latencies against an independent re-implementation, and how they must change with the input."""

from __future__ import annotations

import math

import numpy as np
import plain_model
import pytest
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, instances_with_schedules

from epsl_opt import FREE, Instance, Schedule, round_latency
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Channel, Subchannels, Training
from epsl_opt.core.latency import downlink_rates_bps, uplink_rates_bps

Case = tuple[Instance, Schedule]


@given(instances_with_schedules())
def test_round_latency_equals_the_plain_loops(case: Case) -> None:
    """The vectorised round latency is that of the model's equations written as loops over scalars."""
    assert round_latency(*case).round_latency_s == pytest.approx(plain_model.round_latency_s(*case), rel=1e-12)


@given(instances_with_schedules())
def test_rates_equal_the_plain_loops(case: Case) -> None:
    """Uplink, downlink and broadcast rates are those of the model's equations written as loops."""
    instance, schedule = case
    latency = round_latency(instance, schedule)
    for i in range(instance.n_clients):
        assert latency.uplink_bps[i] == pytest.approx(plain_model.uplink_bps(instance, schedule, i), rel=1e-12)
        assert latency.downlink_bps[i] == pytest.approx(plain_model.downlink_bps(instance, schedule, i), rel=1e-12)
    assert latency.broadcast_bps == pytest.approx(plain_model.broadcast_bps(instance), rel=1e-12)


@given(instances_with_schedules())
def test_stages_add_up_to_the_round(case: Case) -> None:
    """The round is the slowest way up, what the server does, and the slowest way down."""
    t = round_latency(*case)
    up = max(t.client_forward_s + t.uplink_s)
    down = max(t.downlink_s + t.client_backward_s)
    total = up + t.server_forward_s + t.server_backward_s + t.broadcast_s + down
    assert t.round_latency_s == pytest.approx(total, rel=1e-12)


@given(instances_with_schedules(), st.randoms(use_true_random=False))
def test_relabelling_clients_and_subchannels_changes_nothing(case: Case, random: object) -> None:
    """The round latency does not depend on how clients and subchannels are numbered."""
    instance, schedule = case
    clients = list(range(instance.n_clients))
    subchannels = list(range(instance.n_subchannels))
    random.shuffle(clients)  # type: ignore[attr-defined]
    random.shuffle(subchannels)  # type: ignore[attr-defined]
    relabelled = _relabel(instance, clients, subchannels)
    owner = [FREE if i == FREE else clients.index(i) for i in schedule.subchannel_client[subchannels]]
    moved = Schedule(schedule.cut_layer, owner, schedule.subchannel_power_w[subchannels])
    expected = round_latency(instance, schedule).round_latency_s
    assert round_latency(relabelled, moved).round_latency_s == pytest.approx(expected, rel=1e-12)


@given(instances_with_schedules(), st.sampled_from([1e-3, 0.1, 60.0, 1e3]))
def test_another_unit_of_time_rescales_the_round(case: Case, factor: float) -> None:
    """With time counted in other units, every time in the answer changes by that factor and nothing else does."""
    instance, schedule = case
    before = round_latency(instance, schedule).round_latency_s
    after = round_latency(_rescale_time(instance, factor), _rescale_power(schedule, factor)).round_latency_s
    assert after == pytest.approx(before * factor, rel=1e-9)


@given(instances_with_schedules(), st.sampled_from([1e-3, 8.0, 1024.0]))
def test_another_unit_of_work_changes_nothing(case: Case, factor: float) -> None:
    """Counting work in multiply-adds instead of FLOPs changes no latency, if cycles per unit change along."""
    instance, schedule = case
    expected = round_latency(instance, schedule).round_latency_s
    assert round_latency(_rescale_flops(instance, factor), schedule).round_latency_s == pytest.approx(
        expected, rel=1e-9
    )


@given(instances_with_schedules(), st.floats(1.0, 10.0))
def test_more_power_never_slows_the_round(case: Case, factor: float) -> None:
    """Scaling all powers up never makes a round longer."""
    instance, schedule = case
    louder = Schedule(schedule.cut_layer, schedule.subchannel_client, schedule.subchannel_power_w * factor)
    slack = 1 + 1e-12
    assert round_latency(instance, louder).round_latency_s <= round_latency(instance, schedule).round_latency_s * slack


@given(instances_with_schedules(), st.floats(1.0, 10.0))
def test_better_equipment_never_slows_the_round(case: Case, factor: float) -> None:
    """More bandwidth, better channels, or faster processors never make a round longer."""
    instance, schedule = case
    before = round_latency(instance, schedule).round_latency_s * (1 + 1e-12)
    channel, server = instance.channel, instance.server
    better = [
        instance.replace(
            subchannels=Subchannels(
                bandwidth_hz=instance.bandwidth_hz * factor,
                center_frequency_hz=instance.subchannels.center_frequency_hz,
            )
        ),
        instance.replace(channel=channel.model_copy(update={"uplink_gain": channel.uplink_gain * factor})),
        instance.replace(channel=channel.model_copy(update={"downlink_gain": channel.downlink_gain * factor})),
        instance.replace(clients=tuple(_faster(client, factor) for client in instance.clients)),
        instance.replace(server=_faster(server, factor)),
    ]
    for other in better:
        assert round_latency(other, schedule).round_latency_s <= before


@given(instances_with_schedules(), st.integers(0, 6), st.integers(0, 3))
def test_a_further_subchannel_never_slows_its_client(case: Case, subchannel: int, client: int) -> None:
    """Giving a free subchannel away never lowers a rate."""
    instance, schedule = case
    owner = schedule.subchannel_client.copy()
    k = subchannel % instance.n_subchannels
    owner[k] = client % instance.n_clients if owner[k] == FREE else owner[k]
    power = np.maximum(schedule.subchannel_power_w, 1e-6 * (np.arange(len(owner)) == k))
    more = Schedule(schedule.cut_layer, owner, power)
    assert (uplink_rates_bps(instance, more) >= uplink_rates_bps(instance, schedule)).all()
    assert (downlink_rates_bps(instance, more) >= downlink_rates_bps(instance, schedule)).all()


@pytest.mark.parametrize(
    ("ratio", "batch", "expected"),
    [(0.1, 30, 3), (0.07, 100, 7), (0.3, 10, 3), (0.29, 100, 29), (0.5, 7, 4), (0.0, 9, 0), (1.0, 9, 9), (1e-9, 5, 1)],
)
@examples(5)
@given(instance=instances())
def test_aggregated_samples_are_exact_for_decimal_ratios(
    instance: Instance, ratio: float, batch: int, expected: int
) -> None:
    """m = ceil(phi b) takes phi for the decimal number that was written, so 0.07 * 100 is 7 and not 8."""
    assert instance.with_training(batch_size=batch, aggregation_ratio=ratio).aggregated_samples == expected


@given(instances(), st.integers(0, 100), st.integers(1, 1000))
def test_aggregated_samples_of_any_percentage(instance: Instance, percent: int, batch: int) -> None:
    """For phi = n/100 in decimals, m is the integer ceiling of n b / 100."""
    trained = instance.with_training(batch_size=batch, aggregation_ratio=percent / 100)
    assert trained.aggregated_samples == -(-percent * batch // 100)


@given(instances_with_schedules())
def test_full_aggregation_leaves_nothing_for_the_downlink(case: Case) -> None:
    """With phi = 1 no client waits for gradients of its own, even if it cannot receive on its subchannels."""
    instance, schedule = case
    latency = round_latency(instance.with_training(aggregation_ratio=1.0), schedule)
    assert (latency.downlink_s == 0).all()


@given(instances())
def test_a_client_without_subchannel_waits_forever(instance: Instance) -> None:
    """A client that must send and has no rate makes the round infinite, without a warning."""
    M = instance.n_subchannels
    idle = round_latency(instance, Schedule(0, np.full(M, FREE), np.zeros(M)))
    assert math.isinf(idle.round_latency_s)
    assert (idle.uplink_bps == 0).all()


@given(instances())
def test_cut_layers_out_of_range_are_refused(instance: Instance) -> None:
    """A negative or too large cut layer raises instead of meaning another one."""
    for wrong in (-1, instance.n_cut_layers):
        with pytest.raises(IndexError, match="cut layer"):
            cut_costs(instance, wrong)


def _relabel(instance: Instance, clients: list[int], subchannels: list[int]) -> Instance:
    channel, bands = instance.channel, instance.subchannels
    return instance.replace(
        clients=tuple(instance.clients[i] for i in clients),
        subchannels=Subchannels(
            bandwidth_hz=bands.bandwidth_hz[subchannels], center_frequency_hz=bands.center_frequency_hz[subchannels]
        ),
        channel=Channel(
            uplink_gain=channel.uplink_gain[np.ix_(clients, subchannels)],
            downlink_gain=channel.downlink_gain[np.ix_(clients, subchannels)],
            noise_psd_w_per_hz=channel.noise_psd_w_per_hz,
        ),
    )


def _rescale_time(instance: Instance, factor: float) -> Instance:
    """Count time in units of 1 / factor seconds; W/Hz is an energy, and keeps its number if energy keeps its unit."""
    server = instance.server
    return instance.replace(
        clients=tuple(
            client.model_copy(
                update={
                    "cycles_per_s": client.cycles_per_s / factor,
                    "max_power_w": client.max_power_w / factor,
                }
            )
            for client in instance.clients
        ),
        server=server.model_copy(
            update={
                "cycles_per_s": server.cycles_per_s / factor,
                "total_uplink_power_w": server.total_uplink_power_w / factor,
            }
        ),
        subchannels=Subchannels(
            bandwidth_hz=instance.bandwidth_hz / factor,
            center_frequency_hz=instance.subchannels.center_frequency_hz / factor,
        ),
    )


def _rescale_power(schedule: Schedule, factor: float) -> Schedule:
    return Schedule(schedule.cut_layer, schedule.subchannel_client, schedule.subchannel_power_w / factor)


def _rescale_flops(instance: Instance, factor: float) -> Instance:
    model = instance.model
    flops = {name: value * factor for name, value in model if name.endswith("_flops")}
    cuts = tuple(
        cut.model_copy(update={name: value * factor for name, value in cut if name.endswith("_flops")})
        for cut in model.cut_layers
    )
    return instance.replace(
        clients=tuple(_dearer(client, factor) for client in instance.clients),
        server=_dearer(instance.server, factor),
        model=model.model_copy(update=flops | {"cut_layers": cuts}),
    )


def _dearer(owner, factor):
    return owner.model_copy(update={"cycles_per_flop": owner.cycles_per_flop / factor})


def _faster(owner, factor):
    return owner.model_copy(update={"cycles_per_s": owner.cycles_per_s * factor})


def test_unit_interval_is_enforced() -> None:
    """An aggregation ratio outside [0, 1] or a batch without samples cannot be constructed."""
    for wrong in ({"aggregation_ratio": 1.1}, {"aggregation_ratio": -0.1}, {"batch_size": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Training(**({"batch_size": 8, "aggregation_ratio": 0.5} | wrong))
