"""The checker names every broken constraint, and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, instances_with_schedules

from epsl_opt import FREE, Instance, Schedule, Violation, check
from epsl_opt.core.checker import RELATIVE_TOLERANCE, check_bound, check_claim

Case = tuple[Instance, Schedule]


def rules(found: list[Violation]) -> set[str]:
    """The constraints that are broken."""
    return {violation.constraint for violation in found}


@given(instances_with_schedules())
def test_a_cut_layer_that_does_not_exist_is_named(case: Case) -> None:
    """Cut layers below 0 or beyond the last are reported with index and count."""
    instance, schedule = case
    J = instance.n_cut_layers
    for wrong in (-1, J):
        found = check(instance, Schedule(wrong, schedule.subchannel_client, schedule.subchannel_power_w))
        assert rules(found) == {"cut layer exists"}
        assert found[0].entity == f"cut_layer {wrong} of {J}"


@given(instances_with_schedules(), st.booleans())
def test_arrays_of_the_wrong_length_are_named(case: Case, shorter: bool) -> None:
    """A missing or surplus entry is reported for each of the two arrays, with how many there are."""
    instance, schedule = case
    M = instance.n_subchannels
    size = M - 1 if shorter else M + 1
    found = check(instance, Schedule(0, np.resize(schedule.subchannel_client, size), np.zeros(size)))
    assert rules(found) == {"one entry per subchannel"}
    assert [v.entity for v in found] == [
        f"subchannel_client has {size} of {M}",
        f"subchannel_power_w has {size} of {M}",
    ]
    assert {v.amount for v in found} == {size - M}


@given(instances_with_schedules(), st.sampled_from([-2, 4, 99]))
def test_clients_that_do_not_exist_are_named(case: Case, stranger: int) -> None:
    """A subchannel that belongs to nobody known is reported with its index."""
    instance, schedule = case
    owner = schedule.subchannel_client.copy()
    owner[-1] = stranger
    found = check(instance, Schedule(schedule.cut_layer, owner, schedule.subchannel_power_w))
    assert rules(found) == {"client exists"}
    assert found[0].entity.startswith(f"subchannel {len(owner) - 1} belongs to client {stranger} ")


@given(instances_with_schedules(), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_powers_that_are_no_numbers_are_named(case: Case, value: float) -> None:
    """NaN and infinite powers are reported for their subchannel, and end the check."""
    instance, schedule = case
    power = schedule.subchannel_power_w.copy()
    power[0] = value
    found = check(instance, Schedule(schedule.cut_layer, schedule.subchannel_client, power))
    assert [(v.constraint, v.entity, v.unit) for v in found] == [("power is finite", "subchannel 0", "W")]


@given(instances_with_schedules())
def test_negative_powers_are_named(case: Case) -> None:
    """However small, a negative power is reported with its size in watts and no tolerance."""
    instance, schedule = case
    power = schedule.subchannel_power_w.copy()
    power[0] = -1e-15
    found = check(instance, Schedule(schedule.cut_layer, schedule.subchannel_client, power))
    negative = next(v for v in found if v.constraint == "power is not negative")
    assert (negative.entity, negative.amount, negative.unit, negative.tolerance) == ("subchannel 0", 1e-15, "W", 0)


@given(instances())
def test_power_on_a_free_subchannel_is_named(instance: Instance) -> None:
    """Power on a subchannel that nobody holds is reported."""
    M = instance.n_subchannels
    power = np.zeros(M)
    power[-1] = 1e-9
    found = check(instance, Schedule(0, np.full(M, FREE), power))
    assert [v.entity for v in found if v.constraint == "no power on a free subchannel"] == [f"subchannel {M - 1}"]


@given(instances_with_schedules(), st.sampled_from([1e-6, 0.1, 10.0]))
def test_a_clients_power_limit_is_named_with_the_excess(case: Case, excess: float) -> None:
    """A client over P_i is reported by name with the watts it is over, and the others are not."""
    instance, schedule = _with_total_limit(case[0], 1e6), case[1]
    i = instance.n_clients - 1
    power = _power_of(schedule, i, instance.max_power_w[i] * (1 + excess))
    found = check(instance, Schedule(schedule.cut_layer, schedule.subchannel_client, power))
    assert [(v.constraint, v.entity, v.unit) for v in found] == [
        ("client power limit P_i", instance.clients[i].name, "W")
    ]
    assert found[0].amount == pytest.approx(instance.max_power_w[i] * excess, rel=1e-6)
    assert found[0].tolerance == pytest.approx(instance.max_power_w[i] * RELATIVE_TOLERANCE)


@given(instances_with_schedules(), st.sampled_from([1e-6, 0.1, 10.0]))
def test_the_total_power_limit_is_named_with_the_excess(case: Case, excess: float) -> None:
    """A sum over P_th is reported with the watts it is over, though every client keeps its own limit."""
    schedule = case[1]
    total = float(schedule.subchannel_power_w.sum())
    instance = _with_total_limit(case[0], total / (1 + excess))
    found = check(instance, schedule)
    assert [(v.constraint, v.entity, v.unit) for v in found] == [("total power limit P_th", "all clients", "W")]
    assert found[0].amount == pytest.approx(total - total / (1 + excess), rel=1e-6)


@given(instances_with_schedules())
def test_power_limits_forgive_rounding_only(case: Case) -> None:
    """A client at its limit up to half the tolerance passes; at twice the tolerance it does not."""
    instance, schedule = _with_total_limit(case[0], 1e6), case[1]
    limit = instance.max_power_w[0]
    for factor, passes in ((0.5, True), (2.0, False)):
        power = _power_of(schedule, 0, limit * (1 + factor * RELATIVE_TOLERANCE))
        assert (check(instance, Schedule(0, schedule.subchannel_client, power)) == []) is passes


@given(instances_with_schedules())
def test_a_client_without_rate_is_named(case: Case) -> None:
    """A client that must send but has no power, or no subchannel, is reported by name."""
    instance, schedule = case
    i = instance.n_clients - 1
    silent = Schedule(schedule.cut_layer, schedule.subchannel_client, _power_of(schedule, i, 0.0))
    found = check(instance, silent)
    assert [(v.constraint, v.entity) for v in found] == [("uplink rate is positive", instance.clients[i].name)]
    owner = np.where(schedule.subchannel_client == i, FREE, schedule.subchannel_client)
    gone = check(instance, Schedule(schedule.cut_layer, owner, np.where(owner == FREE, 0, schedule.subchannel_power_w)))
    assert {v.entity for v in gone} == {instance.clients[i].name}


@given(instances_with_schedules())
def test_a_client_that_cannot_receive_is_named(case: Case) -> None:
    """Zero downlink gain is reported for the broadcast, the downlink, or both, as phi needs them."""
    instance, schedule = case
    gain = instance.channel.downlink_gain.copy()
    gain[0] = 0
    deaf = instance.replace(channel=instance.channel.model_copy(update={"downlink_gain": gain}))
    found = rules(check(deaf, schedule))
    m, b = instance.aggregated_samples, instance.training.batch_size
    assert ("broadcast rate is positive" in found) is (m > 0)
    assert ("downlink rate is positive" in found) is (m < b)


@given(instances_with_schedules())
def test_every_violation_reads_as_one_line(case: Case) -> None:
    """The text of a violation names constraint, entity, amount, unit and tolerance on one line."""
    instance, schedule = case
    power = _power_of(schedule, 0, instance.max_power_w[0] * 2)
    for violation in check(instance, Schedule(0, schedule.subchannel_client, power)):
        text = str(violation)
        assert violation.constraint in text
        assert violation.entity in text
        assert f"{violation.amount:.6g} W (tolerance {violation.tolerance:.3g})" in text
        assert "\n" not in text


@given(st.floats(1e-6, 1e6), st.floats(-1e-6, 1e-6))
def test_claims_are_compared_to_relative_tolerance(truth: float, error: float) -> None:
    """A claimed number passes exactly if it is within 1e-9 of its recomputation."""
    claimed = truth * (1 + error)
    passes = abs(claimed - truth) <= RELATIVE_TOLERANCE * max(claimed, truth)
    assert (check_claim("latency_s", claimed, truth) == []) is passes


@pytest.mark.parametrize("claimed", [math.nan, math.inf, -math.inf, -1.0, 0.0, 2.0])
def test_absurd_claims_are_refused(claimed: float) -> None:
    """NaN, infinities, and plainly wrong numbers never pass for 1.0."""
    assert check_claim("latency_s", claimed, 1.0)


@pytest.mark.parametrize(
    ("bound", "passes"), [(1.0, True), (0.5, True), (1 + 1e-10, True), (1 + 1e-8, False), (math.inf, False)]
)
def test_a_bound_is_at_most_the_latency(bound: float, passes: bool) -> None:
    """A dual bound above a feasible latency, beyond rounding, is refused."""
    assert (check_bound(bound, 1.0) == []) is passes


@pytest.mark.parametrize("bound", [math.nan, math.inf, -math.inf])
def test_a_bound_is_a_number(bound: float) -> None:
    """NaN and infinities are no bounds, even while there is no schedule."""
    assert check_bound(bound, math.inf)


def _power_of(schedule: Schedule, i: int, total_w: float) -> np.ndarray:
    """The schedule's powers, client i's scaled to a sum of `total_w`."""
    power = schedule.subchannel_power_w.copy()
    mine = schedule.subchannel_client == i
    power[mine] *= total_w / power[mine].sum()
    return power


def _with_total_limit(instance: Instance, limit_w: float) -> Instance:
    return instance.replace(server=instance.server.model_copy(update={"total_uplink_power_w": limit_w}))
