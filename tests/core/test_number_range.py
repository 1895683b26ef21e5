"""What cannot be computed with is refused by name, and never called infeasible."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import small_instance

from epsl_opt import InputError, Instance, Schedule, SolutionStatus, StopReason, read_instance, solve
from epsl_opt.core.checker import check

OUT_OF_RANGE = [
    (("clients", 0, "cycles_per_s"), 1e-308, r"clients\[0\]: the speed in FLOP/s"),
    (("clients", 1, "cycles_per_flop"), 1e300, r"clients\[1\]: the speed in FLOP/s"),
    (("server", "cycles_per_s"), 5e-324, "server: the speed in FLOP/s"),
    (("server", "cycles_per_flop"), 1e-308, "server: the speed in FLOP/s"),
    (("clients", 0, "max_power_w"), 5e-324, r"channel.uplink_gain\[0\]\[0\]: the uplink rate"),
    (("server", "total_uplink_power_w"), 1e-308, r"channel.uplink_gain\[0\]\[0\]: the uplink rate"),
    (("server", "downlink_psd_w_per_hz"), 5e-324, r"channel.downlink_gain\[0\]\[0\]: the downlink rate"),
    (("subchannels", "bandwidth_hz", 1), 1e307, r"channel.uplink_gain\[0\]\[1\]|downlink_gain\[0\]\[1\]"),
    (("channel", "noise_psd_w_per_hz"), 1e300, "channel.uplink_gain.*: the noise over the gain"),
    (("channel", "noise_psd_w_per_hz"), 5e-324, "channel.uplink_gain.*: the noise over the gain"),
    (("channel", "downlink_gain", 1, 2), 1e308, r"channel.downlink_gain\[1\]\[2\]|downlink rate"),
    (("model", "cut_layers", 1, "activation_bits"), 1e308, r"model.cut_layers\[1\].activation_bits: the uplink"),
    (("model", "cut_layers", 0, "gradient_bits"), 1e308, r"model.cut_layers\[0\].gradient_bits: the downlink"),
    (("model", "total_forward_flops"), 1e308, "model.total_forward_flops: the forward pass of the server"),
    (("model", "total_backward_flops"), 1e308, "model.total_backward_flops: the backward pass of the server"),
]


def _changed(path: tuple[str | int, ...], value: float) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(small_instance().to_document()))
    *way, last = path
    place: Any = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


@pytest.mark.parametrize(("path", "value", "said"), OUT_OF_RANGE, ids=[str(path[-2:]) for path, _, _ in OUT_OF_RANGE])
def test_a_latency_beyond_all_numbers_is_refused_by_name(path: tuple[str | int, ...], value: float, said: str) -> None:
    """Where a time or a rate would leave the range of numbers, one line names the quantity and the field."""
    with pytest.raises(ValidationError, match=said):
        Instance.model_validate_json(json.dumps(_changed(path, value)))


def test_the_file_is_named(tmp_path: Any) -> None:
    """Reading such an instance from a file is bad input that names file and field."""
    file = tmp_path / "slow.json"
    file.write_text(json.dumps(_changed(("clients", 0, "cycles_per_s"), 1e-308)))
    with pytest.raises(InputError, match=r"slow.json: clients\[0\]: the speed"):
        read_instance(file)


@given(st.integers(-324, 308), st.integers(-324, 308))
def test_a_schedule_of_any_power_is_judged(first: int, second: int) -> None:
    """Whatever the powers, a schedule is checked without a warning, and those beyond the limits are told."""
    instance = small_instance()
    power = np.array([10.0**first, 10.0**second, 10.0**second])
    found = {violation.constraint for violation in check(instance, Schedule(0, np.array([0, 1, 1]), power))}
    assert ("total power limit P_th" in found) == (power.max() > 1e6 or power.sum() > 2.5 * (1 + 1e-9))


@given(st.sampled_from([path for path, _, _ in OUT_OF_RANGE]), st.integers(-320, 308))
def test_any_magnitude_is_solved_or_refused(path: tuple[str | int, ...], exponent: int) -> None:
    """With one field of any magnitude an instance is refused when it is made, or solved, without a warning."""
    try:
        instance = Instance.model_validate_json(json.dumps(_changed(path, 10.0**exponent)))
    except ValidationError:
        return
    result = solve(instance, "exact")
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert result.status is SolutionStatus.VERIFIED
