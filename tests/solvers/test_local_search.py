"""The local search: its evaluation and estimates against full evaluation, its results against the oracles."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from draws import draws, examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import Instance, Limits, SolutionStatus, StopReason, load_instance, solve
from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Channel
from epsl_opt.core.latency import round_latency
from epsl_opt.solvers.local_search import enumeration
from epsl_opt.solvers.local_search import neighbourhood as neighbourhood_module
from epsl_opt.solvers.local_search.chains import Chains
from epsl_opt.solvers.local_search.descent import descend
from epsl_opt.solvers.local_search.estimate import Moves, changed_rows, estimate
from epsl_opt.solvers.local_search.filled import NONE
from epsl_opt.solvers.local_search.neighbourhood import neighbourhood, prices_s
from epsl_opt.solvers.local_search.perturbation import perturbed
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.smoothing import Smoothed, SoftMaximum
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.primal.power_control import best_schedule


def _drawn_states(instance: Instance, seed: int, n: int = 6) -> tuple[SearchProblem, States]:
    """Random allocations at random cut layers; everybody holds a subchannel."""
    problem, random = SearchProblem.of(instance), np.random.default_rng(seed)
    C, M = instance.n_clients, instance.n_subchannels
    owners = [random.permutation(np.r_[np.arange(C), random.integers(0, C, M - C)]) for _ in range(n)]
    return problem, evaluate(problem, np.array(owners), random.integers(0, problem.n_cuts, n))


def _true_latency_s(instance: Instance, problem: SearchProblem, owner: IntArray, cut: int) -> float:
    layer = int(problem.cut_layer[cut])
    schedule = best_schedule(instance, cut_costs(instance, layer), layer, owner)
    assert schedule is not None
    return round_latency(instance, schedule).round_latency_s


def _made(states: States, moves: Moves) -> IntArray:
    """The allocations after each move, made one by one."""
    owners = states.owner[moves.state]
    for owner, n, give, to, back in zip(owners, moves.state, moves.give, moves.to, moves.back, strict=True):
        owner[give] = to
        if back != NONE:
            owner[back] = states.owner[n, give]
    return owners


def _all_moves(problem: SearchProblem, states: States, temperature: float) -> tuple[Smoothed, Moves]:
    smoothed = Smoothed.of(problem, states, temperature * states.latency_s)
    return smoothed, neighbourhood(problem, states, smoothed)


def _faded(C: int = 5, M: int = 20, seed: int = 0) -> Instance:
    """The paper's scenario with a different gain on every subchannel."""
    instance = load_instance(f"paper:clients={C},subchannels={M},seed={seed}")
    fading = np.random.default_rng(seed).exponential(size=(C, M))
    channel = Channel(
        uplink_gain=instance.channel.uplink_gain * fading,
        downlink_gain=instance.channel.downlink_gain * fading,
        noise_psd_w_per_hz=instance.channel.noise_psd_w_per_hz,
    )
    return instance.replace(channel=channel)


@given(instance=instances(), seed=st.integers(0, 2**32 - 1))
def test_evaluation_agrees_with_power_control(instance: Instance, seed: int) -> None:
    """The search's latency of an allocation is that of its schedule with the best powers."""
    problem, states = _drawn_states(instance, seed)
    for n in range(len(states)):
        expected = _true_latency_s(instance, problem, states.owner[n], states.cut[n])
        assert states.latency_s[n] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_changed_rows_agree_with_full_evaluation(seed: int) -> None:
    """At SNRs where every subchannel is active, the closed forms of a move's two rows are exact."""
    problem, states = _drawn_states(load_instance(f"paper:seed={seed}"), seed)
    _, moves = _all_moves(problem, states, 1e-3)
    donors = moves.donors(states)
    kept = moves.take((moves.back != NONE) | (np.array([_count(states, moves, i) for i in range(len(donors))]) > 1))
    after = evaluate(problem, _made(states, kept), states.cut[kept.state])
    with np.errstate(divide="ignore"):
        row = changed_rows(problem, states, kept.state, kept.to, kept.back, kept.give)
    here = np.arange(len(kept.to))
    np.testing.assert_allclose(row.own_s, after.own_s[here, kept.to], rtol=1e-9)
    np.testing.assert_allclose(row.back_s, after.back_s[here, kept.to], rtol=1e-9)


def _count(states: States, moves: Moves, i: int) -> int:
    owner = states.owner[moves.state[i]]
    return int((owner == owner[moves.give[i]]).sum())


@pytest.mark.parametrize("temperature", [1e-2, 1e-4])
@pytest.mark.parametrize(
    "instance", [load_instance("paper"), _faded(), _faded(12, 20), load_instance("paper:clients=12,subchannels=20")]
)
def test_estimates_agree_with_full_evaluation(instance: Instance, temperature: float) -> None:
    """The estimated change of a small move is that of full evaluation but for a few, and hardly ever far too good."""
    problem, states = _drawn_states(instance, 1)
    smoothed, moves = _all_moves(problem, states, temperature)
    change = estimate(problem, states, smoothed, moves)
    after = evaluate(problem, _made(states, moves), states.cut[moves.state])
    value = Smoothed.of(problem, after, (temperature * states.latency_s)[moves.state]).value_s
    scale = states.latency_s[moves.state]
    true = (value - smoothed.value_s[moves.state]) / scale
    small = np.abs(true) < 0.02
    error = (change / scale)[small] - true[small]
    assert small.sum() > 100
    assert np.median(np.abs(error)) < 1e-9
    assert (np.abs(error) < 2e-3).mean() > 0.98
    assert np.quantile(error, 0.005) > -0.02


@given(instance=instances(max_clients=4, max_subchannels=6), seed=st.integers(0, 2**32 - 1))
def test_the_neighbourhood_is_complete(instance: Instance, seed: int) -> None:
    """On a small instance, every shift and every swap of two clients' subchannels is a move, once."""
    problem, states = _drawn_states(instance, seed, n=2)
    _, moves = _all_moves(problem, states, 1e-3)
    found = sorted((int(n), *owner) for n, owner in zip(moves.state, _made(states, moves).tolist(), strict=True))
    expected = []
    for n, owner in enumerate(states.owner.tolist()):
        for k in range(len(owner)):
            expected += [(n, *owner[:k], i, *owner[k + 1 :]) for i in range(problem.n_clients) if i != owner[k]]
            for j in range(k):
                swapped = owner.copy()
                swapped[j], swapped[k] = owner[k], owner[j]
                expected += [(n, *swapped)] if owner[j] != owner[k] else []
    assert found == sorted(expected)


def test_screening_keeps_the_moves_worth_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """Screened by price, the neighbourhood still holds a move nearly as good as the best of all."""
    problem, states = _drawn_states(_faded(10, 40), 3)
    for _ in range(5):
        states, _ = descend(problem, states, 1e-2 * states.latency_s)
    smoothed, every = _all_moves(problem, states, 1e-2)
    monkeypatch.setattr(neighbourhood_module, "ALL_MOVES", 0)
    monkeypatch.setattr(neighbourhood_module, "SCREENED_SHIFTS", 80)
    monkeypatch.setattr(neighbourhood_module, "SCREENED_SWAPS", 40)
    screened = neighbourhood(problem, states, smoothed)
    assert len(screened.give) < len(every.give) / 5
    assert _best_change(problem, states, smoothed, screened) == pytest.approx(
        _best_change(problem, states, smoothed, every), rel=0.2
    )


def _best_change(problem: SearchProblem, states: States, smoothed: Smoothed, moves: Moves) -> FloatArray:
    best = np.zeros(len(states))
    np.minimum.at(best, moves.state, estimate(problem, states, smoothed, moves))
    return best


def test_prices_are_derivatives() -> None:
    """The price of a subchannel is what a sliver more of it is worth in smoothed latency."""
    instance, sliver = _faded(), 1e-7
    problem, states = _drawn_states(instance, 5, n=1)
    smoothed = Smoothed.of(problem, states, 1e-2 * states.latency_s)
    price = prices_s(problem, states, smoothed, 0)
    owner = states.owner[0]
    for k in range(0, instance.n_subchannels, 4):
        bandwidth = problem.bandwidth_hz.copy()
        bandwidth[k] *= 1 + sliver
        downlink = problem.downlink_bps.copy()
        downlink[:, k] *= 1 + sliver
        wider = SearchProblem(**(vars(problem) | {"bandwidth_hz": bandwidth, "downlink_bps": downlink}))
        after = Smoothed.of(wider, evaluate(wider, states.owner, states.cut), 1e-2 * states.latency_s)
        saved = (smoothed.value_s - after.value_s)[0] / sliver
        assert saved == pytest.approx(price[owner[k], k], rel=1e-4, abs=1e-8)


@given(values=st.lists(st.floats(0.1, 10), min_size=1, max_size=8), temperature=st.floats(1e-3, 1))
def test_the_soft_maximum_is_close(values: list[float], temperature: float) -> None:
    """A softened maximum exceeds the maximum by at most the temperature times the logarithm of the count."""
    soft = SoftMaximum.of(np.array([values]), np.array([temperature])).value[0]
    assert max(values) <= soft <= max(values) + temperature * np.log(len(values)) + 1e-12


@given(instance=instances(), seed=st.integers(0, 2**32 - 1))
def test_perturbation_leaves_nobody_without(instance: Instance, seed: int) -> None:
    """A perturbed allocation gives every subchannel to a client and every client a subchannel."""
    _, states = _drawn_states(instance, seed, n=1)
    owner = perturbed(states, 0, np.random.default_rng(seed))
    assert np.unique(owner).tolist() == list(range(instance.n_clients))


@pytest.fixture
def searching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even tiny instances are searched."""
    monkeypatch.setattr(enumeration, "MOST_EVALUATIONS", 0)


@pytest.mark.usefixtures("searching")
@settings(examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(instance=instances(max_clients=3, max_subchannels=6))
def test_never_better_than_enumeration_and_never_worse_than_greedy(instance: Instance) -> None:
    """The result is verified and lies between the enumerated optimum and the greedy schedule's latency."""
    best, greedy = solve(instance, "brute-force").latency_s, solve(instance, "greedy").latency_s
    result = solve(instance, "local-search", options={"effort": 0.1})
    assert result.status is SolutionStatus.VERIFIED
    assert best is not None
    assert result.latency_s is not None
    assert best * (1 - 1e-9) <= result.latency_s
    assert greedy is None or result.latency_s <= greedy


@pytest.mark.drawn
@pytest.mark.usefixtures("searching")
@pytest.mark.parametrize("seed", draws(4))
@pytest.mark.parametrize("fading", [False, True])
def test_tiny_instances_are_solved_to_optimality(seed: int, fading: bool) -> None:
    """On instances of 3 clients and 7 subchannels, flat and fading, the search finds the optimum."""
    instance = _faded(3, 7, seed) if fading else load_instance(f"paper:clients=3,subchannels=7,seed={seed}")
    best = solve(instance, "brute-force").latency_s
    assert solve(instance, "local-search").latency_s == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_one_seed_gives_one_schedule(seed: int) -> None:
    """Two runs with the same seed end by themselves with the same schedule."""
    instance, limits = _faded(8, 30, seed), Limits(time_s=np.inf, seed=seed)
    first, second = (solve(instance, "local-search", limits, options={"effort": 0.3}) for _ in range(2))
    assert first.stop_reason is second.stop_reason is StopReason.COMPLETED
    assert first.schedule is not None
    assert second.schedule is not None
    assert first.schedule.cut_layer == second.schedule.cut_layer
    np.testing.assert_array_equal(first.schedule.subchannel_client, second.schedule.subchannel_client)
    np.testing.assert_array_equal(first.schedule.subchannel_power_w, second.schedule.subchannel_power_w)


def test_a_time_limit_keeps_the_incumbent() -> None:
    """Stopped at once, the search says so and still leaves a verified schedule."""
    result = solve(_faded(), "local-search", Limits(time_s=1e-9))
    assert result.stop_reason is StopReason.TIME_LIMIT
    assert result.status is SolutionStatus.VERIFIED


@pytest.mark.parametrize("ratio", [0.0, 1.0])
def test_one_client_takes_everything(ratio: float) -> None:
    """With one client there is nothing to search, and the result is the enumerated optimum."""
    instance = load_instance("paper:clients=1,subchannels=6").with_training(aggregation_ratio=ratio)
    assert solve(instance, "local-search").latency_s == pytest.approx(solve(instance, "brute-force").latency_s)


@pytest.mark.usefixtures("searching")
def test_clients_deaf_on_some_subchannels_are_served_by_others() -> None:
    """Zero gains on most subchannels neither break the search nor hide the optimum."""
    instance = _faded(3, 7)
    mask = np.array([[1, 0, 0, 1, 0, 1, 0], [0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0, 0]])
    channel = instance.channel
    deaf = instance.replace(
        channel=Channel(
            uplink_gain=channel.uplink_gain * mask,
            downlink_gain=channel.downlink_gain * mask,
            noise_psd_w_per_hz=channel.noise_psd_w_per_hz,
        )
    )
    best = solve(deaf, "brute-force").latency_s
    assert solve(deaf, "local-search").latency_s == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_every_better_state_is_told(seed: int) -> None:
    """A step that finds a better state says so, wherever in the step it was found: what is not told is not offered."""
    instance = _faded(4, 9, seed)
    problem, states = _drawn_states(instance, seed)
    chains = Chains(problem, states, 2, np.random.default_rng(seed))
    for _ in range(60):
        before = chains.best.latency_s[0]
        assert chains.step() == (chains.best.latency_s[0] < before)


def test_an_improvement_at_another_cut_layer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a settled search finds when it tries its allocation at the other cut layers is told as well."""
    problem, states = _drawn_states(_faded(3, 6), 1)
    chains = Chains(problem, states, 2, np.random.default_rng(0))
    monkeypatch.setattr("epsl_opt.solvers.local_search.chains.descend", lambda _, s, t: (s, np.zeros(len(s))))
    told = []
    for _ in range(8):
        before = chains.best.latency_s[0]
        told.append((chains.step(), bool(chains.best.latency_s[0] < before)))
    assert any(better for _, better in told)
    assert all(said == better for said, better in told)


@given(instance=instances(max_clients=3, max_subchannels=6), seed=st.integers(0, 999), ahead=st.floats(0.5, 1.0))
def test_searches_that_are_all_behind_go_on(instance: Instance, seed: int, ahead: float) -> None:
    """However much better a state was seen on the way than where the descents are, one search at least goes on."""
    problem, states = _drawn_states(instance, seed, n=3)
    chains = Chains(problem, states, 2, np.random.default_rng(seed))
    chains.best = dataclasses.replace(chains.best, latency_s=ahead * chains.best.latency_s)
    for _ in range(12):
        chains.step()
        assert len(chains) > 0
