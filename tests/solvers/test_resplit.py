"""Pairs of clients split anew: powers of subsets against water-filling, splits against all ways, goals' properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances_of_any_round

from epsl_opt import Instance, load_instance
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.water_filling import WaterFilling
from epsl_opt.solvers.local_search import pairs as pairs_module
from epsl_opt.solvers.local_search.goals import Goal, PhaseSlacks
from epsl_opt.solvers.local_search.pairs import Pairs, drawn_pairs, split_anew
from epsl_opt.solvers.local_search.problem import SearchProblem
from epsl_opt.solvers.local_search.resplit import Resplit
from epsl_opt.solvers.local_search.search import Search
from epsl_opt.solvers.local_search.states import States, evaluate
from epsl_opt.solvers.local_search.subsets import subset_powers, subsets

SEEDS = st.integers(0, 2**32 - 1)
UNEQUAL = "paper:clients=6,subchannels=24,fading=rayleigh,bandwidth_spread=0.8,seed=3"


def _drawn_state(instance: Instance, seed: int) -> tuple[SearchProblem, States]:
    """A random allocation in which everybody holds a subchannel, at a random cut layer."""
    problem, random = SearchProblem.of(instance), np.random.default_rng(seed)
    C, M = instance.n_clients, instance.n_subchannels
    owner = random.permutation(np.r_[np.arange(C), random.integers(0, C, M - C)])
    return problem, evaluate(problem, owner[None, :], random.integers(0, problem.n_cuts, 1))


def _goal(problem: SearchProblem, state: States, gain: float = 1e-2) -> Goal:
    owner, cut = state.owner[0], int(state.cut[0])
    slacks = PhaseSlacks.of(problem, owner, cut).shorter(gain * float(state.latency_s[0]), np.full(3, 1 / 3))
    return Goal.of(problem, owner, cut, slacks, 100.0)


@given(
    noise=st.lists(st.floats(1e-12, 1e-6) | st.just(1e150), min_size=2, max_size=7),
    rate=st.floats(0.0, 1e9),
    n_kept=st.integers(0, 3),
    seed=SEEDS,
)
def test_powers_of_subsets_are_those_of_water_filling(noise: list[float], rate: float, n_kept: int, seed: int) -> None:
    """Whatever is silent or kept, every subset has the least power of water-filling and the sum of its rates."""
    M, random = len(noise), np.random.default_rng(seed)
    base = SearchProblem.of(load_instance(f"paper:clients=2,subchannels={M}"))
    widths, bps = random.uniform(1e6, 1e7, M), random.uniform(1e6, 1e8, (2, M))
    table = np.array([noise, noise])
    problem = SearchProblem(
        **vars(base) | {"noise": table, "log_noise": np.log(table), "bandwidth_hz": widths, "downlink_bps": bps}
    )
    size, order = max(M - n_kept, 1), random.permutation(M)
    kept = random.random((1, M - size)) < 0.5
    power, downlink = subset_powers(problem, np.array([1]), order[None, :], kept, np.array([rate]))
    for m, chosen in enumerate(subsets(size)):
        held = order[np.r_[chosen > 0, kept[0]]]
        assert downlink[0, m] == pytest.approx(bps[1, held].sum())
        if not held.size:
            assert power[0, m] == (np.inf if rate > 0 else 0)
            continue
        held = held[np.argsort(table[1, held])]
        filling = WaterFilling.of_rows(table[1:, held], widths[None, held])
        expected = filling.log_level(np.array([rate]))[1][0]
        scale = widths[held].sum() * table[1, held[0]]
        assert power[0, m] == pytest.approx(expected, rel=1e-6, abs=1e-9 * scale)


@given(instance=instances_of_any_round(), seed=SEEDS)
def test_two_clients_are_split_in_the_best_of_all_ways(instance: Instance, seed: int) -> None:
    """Of all ways to deal out what a pair holds, none has less of the potential than the one chosen."""
    problem, state = _drawn_state(instance, seed)
    if problem.n_clients < 2 or not np.isfinite(state.latency_s[0]):
        return
    goal, owner = _goal(problem, state), state.owner[0].copy()
    split_anew(problem, goal, owner, Pairs(np.array([1]), np.array([0])), np.random.default_rng(seed))
    held = np.flatnonzero(state.owner[0] <= 1)
    ways = []
    for chosen in subsets(len(held)):
        way = state.owner[0].copy()
        way[held] = chosen > 0
        ways.append(goal.terms_of(problem, way)[:2].sum())
    found = goal.terms_of(problem, owner)[:2].sum()
    assert (owner != state.owner[0])[state.owner[0] > 1].sum() == 0
    assert found <= min(ways) * (1 + 1e-6) or not np.isfinite(min(ways))


@pytest.mark.parametrize("most", [10, 4])
@pytest.mark.parametrize("seed", range(5))
def test_splitting_never_raises_the_potential(seed: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether all of a pair's subchannels are dealt out or a few, terms change where a pair gained, to a lower sum."""
    monkeypatch.setattr(pairs_module, "WHOLE", most)
    monkeypatch.setattr(pairs_module, "POOL", min(pairs_module.POOL, most))
    problem, state = _drawn_state(load_instance(UNEQUAL), seed)
    goal, owner, rng = _goal(problem, state), state.owner[0].copy(), np.random.default_rng(seed)
    terms = goal.terms_of(problem, owner)
    for _ in range(20):
        gained = split_anew(problem, goal, owner, drawn_pairs(terms, rng), rng)
        after = goal.terms_of(problem, owner)
        assert (after != terms).any() == (gained > 0)
        assert after.sum() <= terms.sum() * (1 + 1e-12)
        terms = after
    assert set(owner.tolist()) == set(range(problem.n_clients))


@given(instance=instances_of_any_round(), seed=SEEDS)
def test_what_ends_in_time_lacks_nothing(instance: Instance, seed: int) -> None:
    """With the ends that an allocation has itself, its rates fit all limits of power and its downlink rates suffice."""
    problem, state = _drawn_state(instance, seed)
    owner, cut = state.owner[0], int(state.cut[0])
    if not np.isfinite(state.latency_s[0]):
        return
    goal = Goal.of(problem, owner, cut, PhaseSlacks.of(problem, owner, cut), 1.0)
    terms = goal.terms_of(problem, owner)
    needs_downlink = problem.downlink_bits[cut] > 0
    most = 1.0 + float(needs_downlink) + goal.price * problem.limit_w
    assert (terms <= most * (1 + 1e-5)).all()
    assert goal.price <= (1 + 1e-5) / problem.total_w


@pytest.mark.parametrize("spec", [UNEQUAL, UNEQUAL.replace(",fading", ",aggregation_ratio=1.0,fading")])
@pytest.mark.parametrize("every", [None, 3])
def test_the_search_finds_better_schedules_and_only_such(spec: str, every: int | None) -> None:
    """What a step returns is better than what it was given, evaluated, and the first is found soon."""
    instance = load_instance(spec)
    if every is not None:
        instance = instance.with_training(framework="epsl", average_every=every)
    problem, best = _drawn_state(instance, 1)
    search, found = Resplit(problem, np.random.default_rng(0)), 0
    for _ in range(10):
        state = search.step(best)
        if state is not None:
            again = evaluate(problem, state.owner, state.cut)
            assert state.latency_s[0] == again.latency_s[0] < best.latency_s[0]
            best, found = state, found + 1
    assert found > 0


def test_what_the_pairs_find_the_chains_go_on_from() -> None:
    """The best of the whole search is that of its chains, whoever found it, and never gets worse."""
    problem, start = _drawn_state(load_instance(UNEQUAL), 2)
    search, best_s = Search(problem, start, 2, seed=0), float(start.latency_s[0])
    while not search.over and search.work < 2e5:
        better = search.step()
        assert better == (search.best.latency_s[0] < best_s)
        best_s = float(search.best.latency_s[0])
    assert _same(search.best.owner, evaluate(problem, search.best.owner, search.best.cut).owner)


def _same(first: IntArray, second: IntArray) -> bool:
    return bool((first == second).all())
