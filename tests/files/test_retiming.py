"""Decisions of a schedule are taken for other training parameters of the same instance, and for nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import AGGREGATION_RATIOS, decision, instances_with_schedules, schedule_document, small_instance

from epsl_opt import Instance, Schedule, SolutionStatus
from epsl_opt.core.checker import check
from epsl_opt.core.latency import round_latency
from epsl_opt.files.documents import check_document
from epsl_opt.files.retiming import retimed


@given(instances_with_schedules(), st.integers(1, 100), st.sampled_from(AGGREGATION_RATIOS))
def test_decisions_stay_and_every_number_is_computed_anew(
    given_: tuple[Instance, Schedule], batch_size: int, ratio: float
) -> None:
    """The document is for the other parameters, passes the checker there, and holds the same decisions."""
    made_for, schedule = given_
    instance = made_for.with_training(batch_size=batch_size, aggregation_ratio=ratio)
    found = retimed(schedule_document(made_for, schedule), instance)
    assert found is not None
    assert found.is_for(instance)
    assert (found.status is SolutionStatus.VERIFIED) == (check(instance, schedule) == [])
    if found.status is SolutionStatus.VERIFIED:
        assert check_document(instance, found) == []
        assert decision(found.schedule()) == decision(schedule)
        assert found.latency_s == round_latency(instance, schedule).round_latency_s
        assert found.bound_s is None


def _given() -> tuple[Instance, Schedule]:
    instance = small_instance()
    owner = np.arange(instance.n_subchannels) % instance.n_clients
    power = np.full(instance.n_subchannels, 1e-6)
    return instance, Schedule(0, owner, power)


OTHERS: dict[str, Callable[[Instance], Instance]] = {
    "name": lambda one: one.replace(name="other"),
    "clients": lambda one: one.replace(
        clients=tuple(client.model_copy(update={"max_power_w": 2 * client.max_power_w}) for client in one.clients)
    ),
    "server": lambda one: one.replace(server=one.server.model_copy(update={"cycles_per_s": 1e9})),
    "noise": lambda one: one.replace(
        channel=one.channel.model_copy(update={"noise_psd_w_per_hz": 2 * one.channel.noise_psd_w_per_hz})
    ),
    "gains": lambda one: one.replace(
        channel=one.channel.model_copy(update={"uplink_gain": 0.5 * one.channel.uplink_gain})
    ),
    "bandwidths": lambda one: one.replace(
        subchannels=one.subchannels.model_copy(update={"bandwidth_hz": 2 * one.subchannels.bandwidth_hz})
    ),
    "downlink gains": lambda one: one.replace(
        channel=one.channel.model_copy(update={"downlink_gain": 0.5 * one.channel.downlink_gain})
    ),
    "samples": lambda one: one.replace(
        clients=(one.clients[0].model_copy(update={"samples": one.clients[0].samples + 1}), *one.clients[1:])
    ),
    "network": lambda one: one.replace(
        model=one.model.model_copy(update={"total_forward_flops": 2 * one.model.total_forward_flops})
    ),
    "cut layers": lambda one: one.with_cut_layers((one.model.cut_layers[0].name,)),
}


@pytest.mark.parametrize("what", OTHERS)
def test_nothing_else_may_differ(what: str) -> None:
    """Where more than batch size and aggregation ratio differ, the decisions are for another instance."""
    instance, schedule = _given()
    other = OTHERS[what](instance)
    assert other.sha256 != instance.sha256
    document = schedule_document(instance, schedule)
    assert retimed(document, other) is None
    assert retimed(document, other.with_training(batch_size=3)) is None
    assert retimed(document, instance.with_training(batch_size=3)) is not None


def test_a_lie_is_rejected_before_it_is_timed() -> None:
    """A false latency for the instance that the schedule was made for is told, not replaced by the true one."""
    instance, schedule = _given()
    document = schedule_document(instance, schedule)
    lie = document.model_copy(update={"latency_s": 0.5 * (document.latency_s or 0)})
    found = retimed(lie, instance.with_training(batch_size=3))
    assert found is not None
    assert found.status is SolutionStatus.REJECTED
    assert found.schedule() is None
    assert "latency_s" in str(found.provenance["message"])
