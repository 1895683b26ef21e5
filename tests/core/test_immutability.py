"""Instances and schedules cannot be changed by whoever holds them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import instances_with_schedules

from epsl_opt import Instance, Schedule
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import TrainingPlan

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
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.setflags(write=True)
    with pytest.raises(ValidationError, match="frozen"):
        instance.server.total_uplink_power_w = 1e9  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        schedule.cut_layer = 0  # type: ignore[misc]


@given(instances_with_schedules())
def test_what_is_lent_shares_nothing_writable(case: Case) -> None:
    """A detached or validated copy is equal, and forcing another value into it leaves the original as it was."""
    instance, schedule = case
    before = instance.to_document()
    for lent in (
        instance.detached(),
        instance.validated(),
        TrainingPlan(instance, schedule, Framework.PSL, "").detached().instance,
    ):
        assert lent.to_document() == before
        assert lent.sha256 == instance.sha256
        object.__setattr__(lent.server, "cycles_per_s", 1.0)
        lent.__dict__["content_sha256"] = "forged"
        assert instance.to_document() == before
        assert instance.sha256 != "forged"


@given(instances_with_schedules(), st.sampled_from([np.nan, np.inf, -1.0]))
def test_records_of_strangers_are_validated_in_every_part(case: Case, wrong: float) -> None:
    """A number that a record would refuse, forced in deep inside, is found by validating again."""
    lent = case[0].detached()
    gain = lent.channel.uplink_gain.copy()
    gain[0, 0] = wrong
    object.__setattr__(lent.channel, "uplink_gain", gain)
    with pytest.raises(ValidationError):
        lent.validated()
