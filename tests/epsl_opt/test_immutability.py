"""Instances and schedules cannot be changed by whoever holds them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from pydantic import ValidationError
from strategies import instances_with_schedules

from epsl_opt import Instance, Schedule

Case = tuple[Instance, Schedule]


@given(instances_with_schedules())
def test_a_solver_cannot_change_what_it_is_given(case: Case) -> None:
    """Every array and field a solver sees is read-only, and so is the schedule once it was offered."""
    instance, schedule = case
    arrays = [
        instance.bandwidth_hz,
        instance.channel.uplink_gain,
        instance.channel.downlink_gain,
        instance.subchannels.center_frequency_hz,
        instance.client_flops_per_s,
        instance.max_power_w,
        instance.data_share,
        instance.uplink_noise_w_per_hz,
        instance.downlink_rate_bps,
        schedule.subchannel_client,
        schedule.subchannel_power_w,
    ]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(ValidationError, match="frozen"):
        instance.server.total_uplink_power_w = 1e9  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        schedule.cut_layer = 0  # type: ignore[misc]
