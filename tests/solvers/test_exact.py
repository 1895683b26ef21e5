"""`exact` finds what enumeration finds and proves no more than is true, in the corners of the problem too."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from draws import draws, examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import Instance, Limits, SolutionStatus, SolveMonitor, SolveResult, StopReason, load_instance, solve
from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.instance import Channel
from epsl_opt.testing import draw_instance

TIGHT = Limits(time_s=60, rel_gap=1e-7, threads=1)
RATIOS = (0.0, 0.3, 0.5, 1.0)
SHAPES = {"three-by-six": (3, 6, 2), "as-many-as-clients": (4, 4, 2), "one-client": (1, 5, 3), "one-cut": (3, 5, 1)}


def _agrees(instance: Instance) -> SolveResult:
    """Solve to 1e-7 and compare latency and bound with enumeration."""
    result, oracle = solve(instance, "exact", TIGHT), solve(instance, "brute-force")
    assert oracle.latency_s is not None
    assert result.status is SolutionStatus.VERIFIED, result.message
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert result.latency_s == pytest.approx(oracle.latency_s, rel=1e-6)
    assert result.bound_s is not None
    assert result.bound_s <= min(oracle.latency_s, result.latency_s or 0.0)
    return result


@examples(40)
@given(instances(max_clients=3, max_subchannels=6))
def test_equals_enumeration(instance: Instance) -> None:
    """Whatever the bandwidths, gains, powers and cut layers, the optimum is the enumerated one, to 1e-6."""
    _agrees(instance)


@pytest.mark.parametrize(("shape", "ratio"), list(product(SHAPES, RATIOS)))
@pytest.mark.parametrize("total_power_w", [0.005, 0.5, 20.0])
def test_equals_enumeration_in_every_corner(shape: str, ratio: float, total_power_w: float) -> None:
    """M = C, one client or one cut layer, every phi, scarce and ample power: the optimum is found."""
    seed = 100 * RATIOS.index(ratio) + list(SHAPES).index(shape)
    C, M, J = SHAPES[shape]
    _agrees(draw_instance(shape, seed, C, M, J, ratio, total_power_w))


@given(instances(max_clients=3, max_subchannels=5, ratios=(1.0,)))
def test_nothing_to_send_down(instance: Instance) -> None:
    """With phi = 1 no client gets gradients of its own, and the uplink alone decides the allocation."""
    result = _agrees(instance)
    assert result.latency is not None
    assert not result.latency.downlink_s.any()


@given(instances(max_clients=3, max_subchannels=5), st.sampled_from(["up", "down", "both"]), st.data())
def test_no_traffic_at_a_cut(instance: Instance, silent: str, data: st.DataObject) -> None:
    """A cut layer without smashed data, without gradients or without both is solved like any other."""
    cut = data.draw(st.integers(0, instance.n_cut_layers - 1))
    _agrees(_without_traffic(instance, cut, silent))


@pytest.mark.parametrize("silent", ["up", "down", "both"])
def test_no_traffic_at_one_of_many_cuts(silent: str) -> None:
    """A cut layer without traffic neither misleads nor stops the search at the others."""
    result = solve(_without_traffic(load_instance("paper:seed=5"), 1, silent), "exact")
    assert result.stop_reason is StopReason.GAP_REACHED, result.message


@pytest.mark.parametrize("fading", ["none", "rayleigh"])
def test_identical_clients(fading: str) -> None:
    """Clients that are copies of one another do not drown the search in symmetry where counts tell them apart."""
    _agrees(_identical(load_instance(f"paper:clients=3,subchannels=7,seed=3,fading={fading}")))


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(12))
def test_gains_over_twelve_orders_of_magnitude(seed: int) -> None:
    """Hopeless and excellent subchannels side by side leave the optimum exact."""
    random = np.random.default_rng(seed)
    instance = draw_instance("spread", seed, n_clients=3, n_subchannels=6)
    _agrees(_with_gains(instance, *(10 ** random.uniform(-19, -7, (2, 3, 6)))))


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(12))
def test_zero_gains(seed: int) -> None:
    """Where a subchannel may serve a client in one direction or in none, the optimum is still found."""
    random = np.random.default_rng(seed)
    instance = draw_instance("holes", seed, n_clients=3, n_subchannels=6)
    up, down = (gain * (random.uniform(size=(3, 6)) < 0.5) for gain in _gains(instance))
    up[:, :3] += np.diag([1e-10, 1e-10, 1e-10])
    down[:, 3:] += np.diag([1e-10, 1e-10, 1e-10])
    _agrees(_with_gains(instance, up, down))


def test_one_subchannel_up_and_another_down() -> None:
    """A client with one subchannel usable only up and one usable only down gets both."""
    instance = draw_instance("two-needed", 3, n_clients=2, n_subchannels=4)
    up, down = _gains(instance)
    up[0], down[0] = [1e-10, 0, 0, 0], [0, 0, 1e-10, 0]
    result = _agrees(_with_gains(instance, up, down))
    assert result.schedule is not None
    assert (result.schedule.subchannel_client[[0, 2]] == 0).all()


def test_weak_signals_leave_the_bound_below() -> None:
    """At vanishing signal-to-noise ratios, where a logarithm loses its digits, the bound stays below the optimum."""
    instance = draw_instance("weak", 120, n_clients=1, n_subchannels=1, total_uplink_power_w=0.02)
    for gain in np.geomspace(1e-22, 1e-14, 60):
        _agrees(_with_gains(instance, np.full((1, 1), gain), np.full((1, 1), gain)))


@pytest.mark.parametrize("time_s", [1e-6, 1e-3, 0.01, 0.03, 0.1])
@pytest.mark.parametrize("spec", ["paper:seed=2", "paper:seed=5,fading=rayleigh", "paper:clients=20,subchannels=80"])
def test_stopped_early(spec: str, time_s: float) -> None:
    """Whenever time runs out, schedule and bound are true: the one verified, the other below the optimum."""
    instance = load_instance(spec)
    result = solve(instance, "exact", Limits(time_s=time_s, rel_gap=1e-6, threads=1))
    _is_honest(instance, result)
    assert result.stop_reason in (StopReason.TIME_LIMIT, StopReason.GAP_REACHED)


@pytest.mark.parametrize("call", [1, 2, 3, 5, 8])
def test_interrupted(call: int) -> None:
    """Ctrl-C anywhere keeps the incumbent with its bound."""
    instance = load_instance("paper:seed=5")
    calls = 0

    def interrupt(monitor: SolveMonitor) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt

    result = solve(instance, "exact", Limits(rel_gap=1e-6, threads=1), listener=interrupt)
    _is_honest(instance, result)
    assert result.stop_reason is StopReason.INTERRUPTED
    assert len(result.trace) >= 1


def test_max_nodes_ends_the_search() -> None:
    """A limit on nodes ends the search with a schedule whose gap is open but true."""
    instance = load_instance("paper:seed=5")
    result = solve(instance, "exact", Limits(rel_gap=1e-9, threads=1), {"max_nodes": 1})
    _is_honest(instance, result)
    assert result.stop_reason is StopReason.COMPLETED
    assert result.gap is not None
    assert result.gap > 1e-9


def test_the_trace_only_improves() -> None:
    """Over time the incumbent only falls, the bound only rises, and the last point is the result."""
    result = solve(load_instance("paper:seed=5"), "exact")
    elapsed = [point.elapsed_s for point in result.trace]
    latency = [np.inf if point.latency_s is None else point.latency_s for point in result.trace]
    bound = [-np.inf if point.bound_s is None else point.bound_s for point in result.trace]
    assert elapsed == sorted(elapsed)
    assert latency == sorted(latency, reverse=True)
    assert bound == sorted(bound)
    assert (latency[-1], bound[-1]) == (result.latency_s, result.bound_s)


def _is_honest(instance: Instance, result: SolveResult) -> None:
    """No schedule is rejected, no bound is above the optimum proved by a full run."""
    best = _proved(instance.name)
    assert best.latency_s is not None
    assert result.status in (SolutionStatus.VERIFIED, SolutionStatus.NONE), result.message
    assert result.stop_reason is not StopReason.ERROR, result.message
    assert result.bound_s is not None
    assert result.bound_s <= best.latency_s
    if result.latency_s is not None:
        assert best.bound_s is not None
        assert result.latency_s >= best.bound_s


@cache
def _proved(spec: str) -> SolveResult:
    return solve(load_instance(spec), "exact", Limits(rel_gap=1e-5, threads=1))


def _without_traffic(instance: Instance, cut: int, silent: str) -> Instance:
    fields = {"up": ["activation_bits"], "down": ["gradient_bits"], "both": ["activation_bits", "gradient_bits"]}
    cuts = list(instance.model.cut_layers)
    cuts[cut] = cuts[cut].model_copy(update=dict.fromkeys(fields[silent], 0.0))
    return instance.replace(model=instance.model.model_copy(update={"cut_layers": tuple(cuts)}))


def _identical(instance: Instance) -> Instance:
    up, down = _gains(instance)
    clients = tuple(instance.clients[0].model_copy(update={"name": client.name}) for client in instance.clients)
    return _with_gains(instance.replace(clients=clients), np.tile(up[0], (len(up), 1)), np.tile(down[0], (len(up), 1)))


def _gains(instance: Instance) -> tuple[FloatArray, FloatArray]:
    return instance.channel.uplink_gain.copy(), instance.channel.downlink_gain.copy()


def _with_gains(instance: Instance, uplink: FloatArray, downlink: FloatArray) -> Instance:
    noise = instance.channel.noise_psd_w_per_hz
    return instance.replace(channel=Channel(uplink_gain=uplink, downlink_gain=downlink, noise_psd_w_per_hz=noise))


@pytest.mark.parametrize("fading", ["none", "rayleigh"])
def test_in_a_hurry_there_is_a_schedule_as_good_as_greedys(fading: str) -> None:
    """With no time for a relaxation `exact` still ends with a verified schedule, no worse than the greedy rule's."""
    instance = load_instance(f"paper:clients=20,subchannels=80,fading={fading}")
    greedy = solve(instance, "greedy").latency_s
    hurried = solve(instance, "exact", Limits(time_s=1e-3))
    assert greedy is not None
    assert hurried.latency_s is not None
    assert hurried.latency_s <= greedy * (1 + 1e-9)
    assert hurried.bound_s is not None
    assert 0 < hurried.bound_s <= hurried.latency_s
