"""The search tree of `exact`: tightening, branching, fixing and bounding, against enumeration of whole regions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from draws import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import instances

from epsl_opt import Instance, Limits
from epsl_opt.core.arrays import BoolArray, IntArray
from epsl_opt.plugins.monitor import SolveMonitor
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.dual.interior_point import maximise_duals
from epsl_opt.solvers.dual.lagrangian import Prices, Regions, certified_bounds_s
from epsl_opt.solvers.enumeration import allocations
from epsl_opt.solvers.exact.branching import branch
from epsl_opt.solvers.exact.node import Node, prices_of, regions_of
from epsl_opt.solvers.exact.tree import CutTree
from epsl_opt.solvers.primal.evaluation import allocation_latencies_s

ROUNDING = 1 + 1e-9


@st.composite
def nodes(draw: st.DrawFn, n_clients: int | None = None, n_subchannels: int | None = None) -> Node:
    """Any region, empty ones included: bounds on counts, and forbidden pairs."""
    C = draw(st.integers(1, 3)) if n_clients is None else n_clients
    M = draw(st.integers(1, 6)) if n_subchannels is None else n_subchannels
    least = np.array(draw(st.lists(st.integers(0, 3), min_size=C, max_size=C)))
    room = np.array(draw(st.lists(st.integers(0, M), min_size=C, max_size=C)))
    density = draw(st.sampled_from([0.5, 0.8, 1.0]))
    allowed = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).uniform(size=(C, M)) <= density
    rows = [np.zeros((1, C)) for _ in range(4)]
    return Node(
        least,
        least + room,
        allowed,
        0.0,
        Prices(rows[0], rows[1], rows[2], np.zeros(1), np.zeros_like(rows[0]), rows[3]),
    )


@st.composite
def live_nodes(draw: st.DrawFn, n_clients: int | None = None, n_subchannels: int | None = None) -> Node:
    """Any region that holds an allocation at least, tightened."""
    C = draw(st.integers(2, 3)) if n_clients is None else n_clients
    M = draw(st.integers(C, 6)) if n_subchannels is None else n_subchannels
    node = draw(nodes(C, M))
    owner = np.array(draw(st.lists(st.integers(0, C - 1), min_size=M, max_size=M)))
    counts = np.bincount(owner, minlength=C)
    allowed = node.allowed | (np.arange(C)[:, None] == owner)
    grown = replace(
        node, least=np.minimum(node.least, counts), most=np.maximum(node.most, counts), allowed=allowed
    ).tightened()
    assert grown is not None
    return grown


def _everything(n_clients: int, n_subchannels: int) -> IntArray:
    return np.concatenate(list(allocations(n_clients, n_subchannels)))


def _holds(node: Node, owners: IntArray) -> BoolArray:
    """Which allocations lie in the region, shape (allocations,)."""
    C, M = node.allowed.shape
    counts = np.array([np.bincount(owner, minlength=C) for owner in owners])
    inside = ((counts >= node.least) & (counts <= node.most)).all(axis=1)
    found: BoolArray = inside & node.allowed[owners, np.arange(M)].all(axis=1)
    return found


@examples(80)
@given(nodes())
def test_tightening_loses_no_allocation(node: Node) -> None:
    """A tightened region holds exactly the allocations of the region; only an empty one is given up."""
    inside = _holds(node, owners := _everything(*node.allowed.shape))
    tight = node.tightened()
    if tight is None:
        assert not inside.any()
    else:
        assert (_holds(tight, owners) == inside).all()
        assert (tight.least >= node.least).all()
        assert (tight.most <= node.most).all()
        assert not (tight.allowed & ~node.allowed).any()


@examples(80)
@given(live_nodes(), st.integers(0, 2**32 - 1), st.booleans())
def test_every_allocation_is_in_one_child(tight: Node, seed: int, whole: bool) -> None:
    """Whatever the relaxation says, the children cover the region without overlap, and each is smaller than it."""
    assume(not tight.is_leaf)
    weight = np.random.default_rng(seed).uniform(size=tight.allowed.shape) * tight.allowed
    fraction = 1.0 * (weight == weight.max(axis=0)) if whole else weight / weight.sum(axis=0)
    children = branch(tight, fraction)
    owners = _everything(*tight.allowed.shape)
    times = sum((_holds(child, owners).astype(int) for child in children), np.zeros(len(owners), dtype=int))
    assert (times == _holds(tight, owners)).all()
    assert all(_size(child) < _size(tight) for child in children)


def _size(node: Node) -> int:
    return int((node.most - node.least).sum() + node.allowed.sum())


@st.composite
def instances_with_nodes(draw: st.DrawFn) -> tuple[Instance, int, list[Node]]:
    """An instance, one of its cut layers, and some regions, none of them empty."""
    instance = draw(instances(max_clients=3, max_subchannels=5))
    C, M = instance.n_clients, instance.n_subchannels
    found = draw(st.lists(live_nodes(C, M), min_size=1, max_size=4))
    return instance, draw(st.integers(0, instance.n_cut_layers - 1)), found


@examples(25)
@given(instances_with_nodes(), st.sampled_from([0.01, 0.3, 3.0]))
def test_bounds_of_regions_are_below_their_optimum(case: tuple[Instance, int, list[Node]], spread: float) -> None:
    """The bound of a region, solved together with others, never exceeds its best allocation, or any of its prices'."""
    instance, cut, regions = case
    bounds = CutBounds(instance)
    problem = bounds.problem[cut]
    start = prices_of([_priced(node, bounds.start(cut)) for node in regions])
    solved = maximise_duals(problem, regions_of(regions), start, spread=spread, rel_gap=1e-8)
    owners = _everything(instance.n_clients, instance.n_subchannels)
    latency = allocation_latencies_s(instance, problem.costs, owners)
    certified = certified_bounds_s(problem, regions_of(regions), solved.prices)
    for n, node in enumerate(regions):
        optimum = latency[_holds(node, owners)].min(initial=np.inf)
        assert solved.bound_s[n] <= optimum
        assert certified[n] <= optimum


@examples(25)
@given(instances_with_nodes(), st.floats(0, 1))
def test_fixing_forbids_nothing_better(case: tuple[Instance, int, list[Node]], quantile: float) -> None:
    """What reduced costs forbid is no better than the cutoff, and stays above the bound that is remembered for it."""
    instance, cut, regions = case
    bounds = CutBounds(instance)
    problem, node = bounds.problem[cut], _priced(regions[0], bounds.start(cut))
    tree = CutTree(instance, cut, problem, bounds.refine(cut, stop=lambda: False))
    owners = _everything(instance.n_clients, instance.n_subchannels)
    inside = owners[_holds(node, owners)]
    latency = allocation_latencies_s(instance, problem.costs, inside)
    assume(np.isfinite(latency).any())
    cutoff_s = float(np.quantile(latency[np.isfinite(latency)], quantile))
    solved = maximise_duals(problem, regions_of([node]), prices_of([node]))
    fixed = tree._fixed(_priced(node, solved.prices), float(solved.bound_s[0]), cutoff_s)
    gone = latency if fixed is None else latency[~_holds(fixed, inside)]
    assert (gone * ROUNDING >= cutoff_s).all()
    assert (gone * ROUNDING >= tree._closed_s).all()


@examples(20)
@given(instances(max_clients=3, max_subchannels=5), st.data())
def test_a_tree_bounds_its_cut_layer_all_along(instance: Instance, data: st.DataObject) -> None:
    """After every batch of nodes the tree's bound is below the best allocation of its cut layer, without any cutoff."""
    cut = data.draw(st.integers(0, instance.n_cut_layers - 1))
    bounds = CutBounds(instance)
    problem = bounds.problem[cut]
    tree = CutTree(instance, cut, problem, bounds.refine(cut, stop=lambda: False))
    owners = _everything(instance.n_clients, instance.n_subchannels)
    optimum = float(allocation_latencies_s(instance, problem.costs, owners).min())
    monitor = SolveMonitor(instance, Limits(rel_gap=1e-9))
    for _ in range(6):
        assert tree.bound_s <= optimum * ROUNDING
        if tree.exhausted:
            break
        tree.grow(monitor.latency_s * (1 - 1e-9), monitor)


def _priced(node: Node, prices: Prices) -> Node:
    return Node(node.least, node.most, node.allowed, node.bound_s, prices)


def test_a_region_without_a_choice_is_a_leaf() -> None:
    """Where every subchannel has one client left, the region is a leaf and is not branched on."""
    prices = Prices(*(np.zeros((1, 2)) for _ in range(3)), np.zeros(1), np.zeros((1, 2)), np.zeros((1, 2)))
    node = Node(np.array([1, 1]), np.array([1, 1]), np.array([[True, False], [True, True]]), 0.0, prices).tightened()
    assert node is not None
    assert node.is_leaf
    assert branch(node, 1.0 * node.allowed) == []
    assert isinstance(regions_of([node]), Regions)
