"""Exact copies in the search tree of `exact`: of schedules that differ in an exchange of clients one is always kept."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from draws import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import Instance, Limits, StopReason, load_instance, solve
from epsl_opt.core.arrays import IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Channel
from epsl_opt.solvers.dual.lagrangian import CutProblem, Prices
from epsl_opt.solvers.enumeration import allocations
from epsl_opt.solvers.exact.branching import branch
from epsl_opt.solvers.exact.copies import copies_of
from epsl_opt.solvers.exact.node import Node

PRICES = Prices(*(np.zeros((1, 3)) for _ in range(3)), np.zeros(1), np.zeros((1, 3)), np.zeros((1, 3)))
GROUPS = ([0, 1], [1, 2], [0, 2], [0, 1, 2])


def _with_copies(instance: Instance, source: list[int]) -> Instance:
    """The instance with client i made a copy of client `source[i]`."""
    channel = Channel(
        uplink_gain=instance.channel.uplink_gain[source],
        downlink_gain=instance.channel.downlink_gain[source],
        noise_psd_w_per_hz=instance.channel.noise_psd_w_per_hz,
    )
    return instance.replace(clients=tuple(instance.clients[i] for i in source), channel=channel)


@st.composite
def instances_with_copies(draw: st.DrawFn) -> Instance:
    """An instance in which every client copies the first or the second."""
    instance = draw(instances(max_clients=4, max_subchannels=6))
    assume(instance.n_clients > 1)
    source = draw(st.lists(st.integers(0, 1), min_size=instance.n_clients, max_size=instance.n_clients))
    return _with_copies(instance, source)


@examples(25)
@given(instances_with_copies())
def test_copies_equal_enumeration(instance: Instance) -> None:
    """With copies among the clients the optimum is the enumerated one to 1e-6, and the bound is not above it."""
    result = solve(instance, "exact", Limits(time_s=60, rel_gap=1e-7, threads=1))
    oracle = solve(instance, "brute-force")
    assert oracle.latency_s is not None
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert result.latency_s == pytest.approx(oracle.latency_s, rel=1e-6)
    assert result.bound_s is not None
    assert result.bound_s <= oracle.latency_s


@pytest.mark.parametrize("source", [[0, 1, 2, 3], [0, 0, 2, 3], [0, 1, 0, 1], [0, 1, 1, 1], [2, 2, 2, 2]])
def test_copies_are_found(source: list[int]) -> None:
    """Groups are the clients with a common source; one whose channel differs in the last digits belongs to none."""
    instance = _with_copies(load_instance("paper:clients=4,subchannels=5,fading=rayleigh"), source)
    assert _groups(instance) == _alike(source)
    gain = instance.channel.downlink_gain.copy()
    gain[1, -1] *= 1 + 1e-12
    other = instance.replace(channel=instance.channel.model_copy(update={"downlink_gain": gain}))
    assert _groups(other) == _alike([source[0], -1, *source[2:]])


def _groups(instance: Instance) -> set[tuple[int, ...]]:
    return {tuple(group.tolist()) for group in copies_of(CutProblem.of(instance, cut_costs(instance, 0)))}


def _alike(source: list[int]) -> set[tuple[int, ...]]:
    groups = {tuple(i for i, other in enumerate(source) if other == kind) for kind in source}
    return {group for group in groups if len(group) > 1}


@st.composite
def nodes_with_copies(draw: st.DrawFn) -> Node:
    """A tightened region of three clients, two or three of them copies: counts loose or fixed, allowed alike or not."""
    group = np.array(draw(st.sampled_from(GROUPS)))
    M = draw(st.integers(3, 6))
    density = draw(st.sampled_from([0.6, 0.8, 1.0]))
    allowed = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).uniform(size=(3, M)) <= density
    if draw(st.booleans()):
        allowed[group] = allowed[group[0]]
    wanted = [np.array(counts) for counts in product(range(M + 1), repeat=3) if sum(counts) == M]
    if draw(st.booleans()):
        wanted = [counts for counts in wanted if len(set(counts[group])) == 1] or wanted
    counts, slack = draw(st.sampled_from(wanted)), draw(st.sampled_from([0, 0, 1, M]))
    node = Node(np.maximum(counts - slack, 0), counts + slack, allowed, 0.0, PRICES, (group,)).tightened()
    assume(node is not None)
    assert node is not None
    return node


def _holds(node: Node, owners: IntArray) -> list[IntArray]:
    """The allocations in the region whose counts are in order."""
    M = owners.shape[1]
    found = []
    for owner in owners:
        counts = np.bincount(owner, minlength=3)
        inside = (counts >= node.least).all() and (counts <= node.most).all()
        ordered = all((np.diff(counts[group]) <= 0).all() for group in node.copies)
        if inside and ordered and node.allowed[owner, np.arange(M)].all():
            found.append(owner)
    return found


def _class(owner: IntArray, group: IntArray) -> tuple[int, ...]:
    """One name for all allocations that differ in exchanges within the group alone."""
    exchanges = (dict(zip(group.tolist(), order, strict=True)) for order in permutations(group.tolist()))
    return min(tuple(exchange.get(i, i) for i in owner.tolist()) for exchange in exchanges)


@examples(80)
@given(nodes_with_copies(), st.integers(0, 2**32 - 1), st.booleans())
def test_children_keep_one_of_every_class(node: Node, seed: int, whole: bool) -> None:
    """Whatever the relaxation says, every allocation of a region has a twin in a child, and nothing new is in one."""
    assume(not node.is_leaf)
    weight = np.random.default_rng(seed).uniform(size=node.allowed.shape) * node.allowed
    fraction = 1.0 * (weight == weight.max(axis=0)) if whole else weight / weight.sum(axis=0)
    owners = np.concatenate(list(allocations(*node.allowed.shape)))
    classes = {_class(owner, node.copies[0]) for owner in _holds(node, owners)}
    kept = [owner for child in branch(node, fraction) for owner in _holds(child, owners)]
    assert {_class(owner, node.copies[0]) for owner in kept} == classes
    assert len({tuple(owner) for owner in kept}) == len(kept)


@examples(80)
@given(nodes_with_copies())
def test_tightening_keeps_what_is_in_order(node: Node) -> None:
    """Tightening a region, with the order of copies known, loses no allocation whose counts are in order."""
    owners = np.concatenate(list(allocations(*node.allowed.shape)))
    loose = Node(node.least.clip(max=1), node.most + 2, node.allowed, 0.0, node.prices, node.copies)
    tight = loose.tightened()
    before = [tuple(owner) for owner in _holds(loose, owners)]
    assert before == ([] if tight is None else [tuple(owner) for owner in _holds(tight, owners)])


def test_a_subchannel_is_kept_from_all_twins() -> None:
    """Where three copies hold one subchannel each, keeping one from the first keeps it from all: no child is left."""
    one = np.ones(3, dtype=np.intp)
    node = Node(one, one, np.ones((3, 3), dtype=bool), 0.0, PRICES, (np.arange(3),))
    assert len(branch(node, np.full((3, 3), 1 / 3))) == 1
    assert len(branch(Node(one, one, node.allowed, 0.0, PRICES), np.full((3, 3), 1 / 3))) == 2
