"""Exact power control against a conic solver, against its own conditions, and under relabelling."""

from __future__ import annotations

import numpy as np
import pytest
from draws import draws, examples
from hostile import hostile_instances
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import FREE, Instance, check, load_instance, round_latency
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.convex.power_control import ReferencePowerControl
from epsl_opt.solvers.primal.power_control import (
    best_schedule,
    head_start_s,
    rows_of,
    sending_s,
    sending_times_s,
)
from epsl_opt.solvers.primal.traffic import SHORTEST_S


@st.composite
def allocations(draw: st.DrawFn) -> tuple[Instance, IntArray]:
    """An instance and an allocation in which every client holds a subchannel."""
    instance = draw(instances())
    C, M = instance.n_clients, instance.n_subchannels
    extra = draw(st.lists(st.integers(FREE, C - 1), min_size=M - C, max_size=M - C))
    return instance, np.array(draw(st.permutations([*range(C), *extra])))


def _phase_s(instance: Instance, owner: IntArray, cut: int) -> float:
    return float(sending_s(rows_of(instance, owner[None, :]), instance, cut_costs(instance, cut))[0])


def _random_case(seed: int) -> tuple[Instance, IntArray, int]:
    random = np.random.default_rng(seed)
    C = int(random.integers(1, 7))
    M = int(random.integers(C, 25))
    fading = "rayleigh" if seed % 2 else "none"
    instance = load_instance(f"paper:clients={C},subchannels={M},seed={seed},fading={fading}")
    owner = np.concatenate([random.permutation(C), random.integers(0, C, M - C)])
    return instance, owner, int(random.integers(instance.n_cut_layers))


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(40))
def test_agrees_with_a_conic_solver(seed: int) -> None:
    """The uplink phase equals CVXPY and Clarabel's to 1e-6 relative on random instances, allocations and cuts."""
    instance, owner, cut = _random_case(seed)
    reference = ReferencePowerControl(instance, cut_costs(instance, cut), owner).phase_s()
    assert _phase_s(instance, owner, cut) == pytest.approx(reference, rel=1e-6)


@given(allocations())
def test_powers_keep_every_limit_and_reach_the_phase(case: tuple[Instance, IntArray]) -> None:
    """The schedule passes the checker, and its uplink phase is the one computed without writing powers down."""
    instance, owner = case
    schedule = best_schedule(instance, cut_costs(instance, 0), 0, owner)
    assert schedule is not None
    assert check(instance, schedule) == []
    assert round_latency(instance, schedule).uplink_phase_s == pytest.approx(_phase_s(instance, owner, 0), rel=1e-9)


@given(allocations())
def test_some_limit_is_tight(case: tuple[Instance, IntArray]) -> None:
    """At the optimum the total power, or the power of a client that ends the phase, is used up."""
    instance, owner = case
    schedule = best_schedule(instance, cut_costs(instance, 0), 0, owner)
    assert schedule is not None
    power, held = schedule.subchannel_power_w, owner != FREE
    used = np.bincount(owner[held], weights=power[held], minlength=instance.n_clients)
    latency = round_latency(instance, schedule)
    last = latency.client_forward_s + latency.uplink_s >= latency.uplink_phase_s * (1 - 1e-9)
    total_tight = power.sum() >= instance.server.total_uplink_power_w * (1 - 1e-6)
    assert total_tight or (used[last] >= instance.max_power_w[last] * (1 - 1e-6)).any()


@given(allocations(), st.integers(0, 2**32 - 1))
def test_a_batch_equals_one_by_one(case: tuple[Instance, IntArray], seed: int) -> None:
    """Evaluating allocations together or alone gives the same phases."""
    instance, owner = case
    random = np.random.default_rng(seed)
    owners = np.array([owner, random.permutation(owner), random.permutation(owner)])
    batch = sending_s(rows_of(instance, owners), instance, cut_costs(instance, 0))
    alone = [_phase_s(instance, row, 0) for row in owners]
    np.testing.assert_allclose(batch, alone, rtol=1e-12)


def test_a_client_without_a_subchannel_never_ends() -> None:
    """A client that must send and holds nothing makes the phase infinite and the schedule impossible."""
    instance = load_instance("paper")
    owner = np.zeros(instance.n_subchannels, dtype=int)
    assert _phase_s(instance, owner, 0) == np.inf
    assert best_schedule(instance, cut_costs(instance, 0), 0, owner) is None


@examples(25)
@given(hostile_instances(), st.integers(0, 2**32 - 1))
def test_the_slack_has_all_its_digits(drawn: Instance, seed: int) -> None:
    """T1 - max t1 equals that of a bisection in long double to 1e-11, however short beside computing it is."""
    instance = drawn.with_training(framework=Framework.EPSL)
    owner = np.random.default_rng(seed).integers(0, instance.n_clients, instance.n_subchannels)
    costs = cut_costs(instance, 0)
    slack = float(sending_times_s(rows_of(instance, owner[None, :]), instance, costs)[0][0])
    assert slack == pytest.approx(_slack_by_bisection_s(instance, costs, owner), rel=1e-11, abs=SHORTEST_S)


@examples(25)
@given(hostile_instances(), st.integers(0, 2**32 - 1))
def test_the_powers_reach_the_slack(drawn: Instance, seed: int) -> None:
    """What the powers written down take beyond the last client's readiness is the slack, to the checker's tolerance."""
    instance = drawn.with_training(framework=Framework.EPSL)
    owner = np.random.default_rng(seed).integers(0, instance.n_clients, instance.n_subchannels)
    costs = cut_costs(instance, 0)
    slack = float(sending_times_s(rows_of(instance, owner[None, :]), instance, costs)[0][0])
    schedule = best_schedule(instance, costs, 0, owner)
    if schedule is not None and costs.uplink_bits > 1e-280:
        assert check(instance, schedule) == []
        late = round_latency(instance, schedule).uplink_s - head_start_s(costs)
        rounding_s = 1e-14 * float(head_start_s(costs).max())  # a sending time as long as that has no more digits
        assert late.max() == pytest.approx(slack, rel=1e-8, abs=rounding_s)


def _slack_by_bisection_s(instance: Instance, costs: CutCosts, owner: IntArray) -> float:
    """Bisect on the logarithm of the slack, in long double throughout."""
    long = np.longdouble
    if costs.uplink_bits == 0:
        return 0.0
    total, limit = long(instance.server.total_uplink_power_w), instance.max_power_w.astype(long)
    rows = [_sorted(instance, np.flatnonzero(owner == i), i) for i in range(instance.n_clients)]
    if not all(len(noise) for noise, _ in rows):
        return np.inf
    nats, lag = long(costs.uplink_bits) * np.log(long(2)), head_start_s(costs).astype(long)

    def fits(slack: np.longdouble) -> bool:
        with np.errstate(over="ignore"):  # more power than a number can hold does not fit
            power = np.array([_power_w(*row, nats / (slack + late)) for row, late in zip(rows, lag, strict=True)])
        return bool((power <= np.minimum(limit, total)).all() and power.sum() <= total)

    low, high = long(2) ** -1100, long(2) ** 1100
    while high > low * (1 + long(1e-17)):
        middle = np.sqrt(low * high)
        low, high = (low, middle) if fits(middle) else (middle, high)
    return float(high)


def _sorted(instance: Instance, held: IntArray, client: int) -> tuple[np.ndarray, np.ndarray]:
    gain = instance.channel.uplink_gain[client, held].astype(np.longdouble)
    held, gain = held[gain > 0], gain[gain > 0]
    order = np.argsort(-gain)
    noise = np.longdouble(instance.channel.noise_psd_w_per_hz) / gain[order]
    return noise, instance.bandwidth_hz[held[order]].astype(np.longdouble)


def _power_w(noise: np.ndarray, bandwidth: np.ndarray, rate: np.longdouble) -> np.longdouble:
    """Least power for a rate in nat/s: the most subchannels that all lie below their water level."""
    log_noise, best = np.log(noise), np.longdouble(np.inf)
    for q in range(len(noise), 0, -1):
        width = bandwidth[:q].sum()
        height = (rate + (bandwidth[:q] * (log_noise[:q] - log_noise[0])).sum()) / width
        excess = (noise[:q] - noise[0]) / noise[0]
        if q == 1 or np.expm1(height) > excess[-1]:
            best = noise[0] * (bandwidth[:q] * (np.expm1(height) - excess)).sum()
            break
    return best
