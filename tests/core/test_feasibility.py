"""Infeasible instances are told in the problem's words, and feasible ones never."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from strategies import instances, small_instance

from epsl_opt import Instance, Schedule, check
from epsl_opt.core.feasibility import infeasibility


def with_gains(uplink: object, downlink: object | None = None, ratio: float = 0.5) -> Instance:
    """The small instance with other gains."""
    small = small_instance().with_training(aggregation_ratio=ratio)
    up = np.asarray(uplink, dtype=float)
    down = np.ones_like(up) if downlink is None else np.asarray(downlink, dtype=float)
    M = up.shape[1]
    bands = small.subchannels.model_copy(
        update={"bandwidth_hz": [1e7] * M, "center_frequency_hz": [28e9 + 1e7 * k for k in range(M)]}
    )
    clients = tuple(small.clients[0].model_copy(update={"name": f"client-{i}"}) for i in range(len(up)))
    channel = small.channel.model_copy(update={"uplink_gain": up * 1e-9, "downlink_gain": down * 1e-9})
    return small.replace(clients=clients, subchannels=bands, channel=channel)


@given(instances(max_clients=3, max_subchannels=5), st.floats(0, 1))
def test_fewer_subchannels_than_clients(instance: Instance, ratio: float) -> None:
    """With M < C the two numbers are said, whatever phi."""
    crowded = with_gains(np.ones((4, 3)), ratio=ratio)
    assert (
        infeasibility(crowded) == "fewer subchannels than clients (3 < 4): every client needs at least one of its own"
    )
    assert infeasibility(instance) is None


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_a_client_without_uplink(ratio: float) -> None:
    """A client whose uplink gains are all zero is named."""
    silent = with_gains([[1, 1, 1], [0, 0, 0]], ratio=ratio)
    assert infeasibility(silent) == "client-1 has no usable subchannel: all its uplink gains are zero"


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_a_client_without_downlink(ratio: float) -> None:
    """A client whose downlink gains are all zero is named, whether it waits for the broadcast or for its own."""
    deaf = with_gains(np.ones((2, 3)), [[0, 0, 0], [1, 1, 1]], ratio=ratio)
    assert infeasibility(deaf) == "client-0 has no usable subchannel: all its downlink gains are zero"


def test_clients_that_compete_for_too_few_subchannels() -> None:
    """Three clients that hear only two of many subchannels break Hall's condition, and one of them is named."""
    rivals = with_gains([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]])
    reason = infeasibility(rivals)
    assert reason is not None
    assert reason.startswith(
        "too few usable subchannels: when the other clients have one with uplink gain, none is left"
    )
    assert any(name in reason for name in ("client-0", "client-1", "client-2"))
    assert "client-3" not in reason


def test_nothing_to_send_needs_no_subchannel() -> None:
    """With nothing to send and everything aggregated, a round needs no subchannel of one's own."""
    crowded = with_gains(np.ones((4, 3)), ratio=1.0)
    cuts = tuple(cut.model_copy(update={"activation_bits": 0.0}) for cut in crowded.model.cut_layers)
    quiet = crowded.replace(model=crowded.model.model_copy(update={"cut_layers": cuts}))
    assert infeasibility(quiet) is None
    assert check(quiet, Schedule(0, [-1, -1, -1], [0, 0, 0])) == []


@st.composite
def gain_patterns(draw: st.DrawFn) -> Instance:
    """Small instances with any pattern of zero gains, half of them the same in both directions."""
    C, M = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    patterns = hnp.arrays(np.int8, (C, M), elements=st.integers(0, 1))
    up = draw(patterns)
    return with_gains(up, up if draw(st.booleans()) else draw(patterns), draw(st.sampled_from([0.0, 0.5, 1.0])))


def allocations(instance: Instance) -> Iterator[Schedule]:
    """Every way to give all subchannels away, at low power."""
    C, M = instance.n_clients, instance.n_subchannels
    return (Schedule(0, owner, np.full(M, 1e-3)) for owner in itertools.product(range(C), repeat=M))


@given(gain_patterns())
def test_a_reason_is_a_proof(instance: Instance) -> None:
    """Where a reason is given, trying all allocations finds no feasible schedule."""
    assume(infeasibility(instance) is not None)
    assert all(check(instance, schedule) for schedule in allocations(instance))


@given(gain_patterns())
def test_a_reason_is_found_where_both_directions_agree(instance: Instance) -> None:
    """Where uplink and downlink have their zeros at the same places, no reason means that a schedule exists."""
    channel = instance.channel
    assume(np.array_equal(channel.uplink_gain > 0, channel.downlink_gain > 0))
    assume(infeasibility(instance) is None)
    assert any(check(instance, schedule) == [] for schedule in allocations(instance))
