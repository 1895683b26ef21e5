"""What every registered solver must keep, against the enumeration oracle and under relabelling and rescaling."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import InputError, Instance, Limits, SolutionStatus, StopReason, load_instance, solve
from epsl_opt.core.instance import Channel, Server, Subchannels
from epsl_opt.plugins.registry import SOLVERS, names

LIMITS = Limits(time_s=60)
DETERMINISTIC = [name for name in names(SOLVERS) if not name.startswith("toy")]


def _optimum_s(instance: Instance) -> float:
    result = solve(instance, "brute-force")
    assert result.stop_reason is StopReason.OPTIMAL_PROVED or result.gap is not None
    assert result.latency_s is not None
    return result.latency_s


@pytest.mark.parametrize("name", DETERMINISTIC)
@examples(12)
@given(instance=instances(max_clients=3, max_subchannels=5))
def test_no_solver_beats_enumeration(name: str, instance: Instance) -> None:
    """Every solver's schedule is verified and at best equal to the enumerated optimum; bounds are at most that."""
    best_s = _optimum_s(instance)
    result = solve(instance, name, LIMITS)
    assert result.status is SolutionStatus.VERIFIED, result.message
    assert result.latency_s is not None
    assert result.latency_s >= best_s * (1 - 1e-9)
    assert result.bound_s is None or result.bound_s <= best_s * (1 + 1e-9)


@examples(25)
@given(instance=instances(max_clients=3, max_subchannels=5), seed=st.integers(0, 2**32 - 1))
def test_relabelling_changes_nothing(instance: Instance, seed: int) -> None:
    """Reordering clients and subchannels leaves the optimum where it is."""
    random = np.random.default_rng(seed)
    rows, columns = random.permutation(instance.n_clients), random.permutation(instance.n_subchannels)
    relabelled = instance.replace(
        clients=tuple(instance.clients[i] for i in rows),
        subchannels=Subchannels(
            bandwidth_hz=instance.bandwidth_hz[columns],
            center_frequency_hz=instance.subchannels.center_frequency_hz[columns],
        ),
        channel=Channel(
            uplink_gain=instance.channel.uplink_gain[np.ix_(rows, columns)],
            downlink_gain=instance.channel.downlink_gain[np.ix_(rows, columns)],
            noise_psd_w_per_hz=instance.channel.noise_psd_w_per_hz,
        ),
    )
    assert _optimum_s(relabelled) == pytest.approx(_optimum_s(instance), rel=1e-9)


@examples(25)
@given(instance=instances(max_clients=3, max_subchannels=5), factor=st.floats(1, 10))
def test_more_of_anything_never_hurts(instance: Instance, factor: float) -> None:
    """More power, bandwidth or compute never makes the optimum worse."""
    base_s = _optimum_s(instance) * (1 + 1e-9)
    stronger = tuple(
        client.model_copy(update={"max_power_w": client.max_power_w * factor}) for client in instance.clients
    )
    faster = tuple(
        client.model_copy(update={"cycles_per_s": client.cycles_per_s * factor}) for client in instance.clients
    )
    server = instance.server
    wider = Subchannels(
        bandwidth_hz=instance.bandwidth_hz * factor,
        center_frequency_hz=instance.subchannels.center_frequency_hz,
    )
    for changed in (
        instance.replace(clients=stronger),
        instance.replace(clients=faster),
        instance.replace(server=_server(server, total_uplink_power_w=server.total_uplink_power_w * factor)),
        instance.replace(server=_server(server, cycles_per_s=server.cycles_per_s * factor)),
        instance.replace(subchannels=wider),
    ):
        assert _optimum_s(changed) <= base_s


@examples(25)
@given(instance=instances(max_clients=3, max_subchannels=5), exponent=st.integers(-9, 9))
def test_the_unit_of_power_does_not_matter(instance: Instance, exponent: int) -> None:
    """Scaling every power and the noise by the same factor leaves the optimum where it is."""
    factor = 10.0**exponent
    server, channel = instance.server, instance.channel
    scaled = instance.replace(
        clients=tuple(c.model_copy(update={"max_power_w": c.max_power_w * factor}) for c in instance.clients),
        server=_server(
            server,
            total_uplink_power_w=server.total_uplink_power_w * factor,
            downlink_psd_w_per_hz=server.downlink_psd_w_per_hz * factor,
        ),
        channel=Channel(
            uplink_gain=channel.uplink_gain,
            downlink_gain=channel.downlink_gain,
            noise_psd_w_per_hz=channel.noise_psd_w_per_hz * factor,
        ),
    )
    assert _optimum_s(scaled) == pytest.approx(_optimum_s(instance), rel=1e-9)


def _server(server: Server, **changes: float) -> Server:
    return Server(**(server.to_document() | changes))


@pytest.mark.parametrize("name", ["greedy", "bcd", "convex", "local-search"])
def test_the_real_algorithms_beat_the_baselines_median(name: str) -> None:
    """On the paper's scenario, the median latency over 30 seeds is below that of every baseline.

    A hundredth of its effort is enough for `local-search`.
    """
    median = {solver: _median_latency_s(solver) for solver in [name, *(f"baseline-{x}" for x in "abcd")]}
    assert median[name] < min(value for solver, value in median.items() if solver != name)


@cache
def _median_latency_s(solver: str) -> float:
    options = {"effort": 0.01} if solver == "local-search" else {}
    scenarios = ((seed, load_instance(f"paper:seed={seed}")) for seed in range(30))
    found = [solve(instance, solver, Limits(seed=seed), options).latency_s for seed, instance in scenarios]
    return float(np.median([value for value in found if value is not None]))


def test_an_unknown_option_lists_near_matches() -> None:
    """A misspelt option of a solver is an error that says which was meant."""
    with pytest.raises(InputError, match="did you mean max_sweeps"):
        solve(load_instance("paper"), "bcd", options={"max_sweep": 3})


def test_bcd_refuses_a_cut_layer_that_is_not_there() -> None:
    """An initial cut layer outside the model is unsupported, with the choices named."""
    result = solve(load_instance("paper"), "bcd", options={"initial_cut": 99})
    assert result.stop_reason is StopReason.UNSUPPORTED
    assert "initial_cut 99" in result.message


def test_enumeration_refuses_large_instances() -> None:
    """`brute-force` says how many allocations there are instead of running forever."""
    result = solve(load_instance("paper"), "brute-force")
    assert result.stop_reason is StopReason.UNSUPPORTED
    assert "allocations" in result.message
