"""Who could hold what: against enumeration, and on instances that only pairs of subchannels serve."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances, masked

from epsl_opt import FREE, Instance, load_instance
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.latency import CutCosts
from epsl_opt.core.serving import served_on, serving_allocation


@st.composite
def masked_instances(draw: st.DrawFn) -> Instance:
    """Instances most of whose gains may be zero."""
    instance = draw(instances(max_clients=3, max_subchannels=5, max_cut_layers=1))
    shape = (2, instance.n_clients, instance.n_subchannels)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return masked(instance, *(random.random(shape) < draw(st.floats(0.1, 0.9))))


def _serves(instance: Instance, costs: CutCosts, owner: np.ndarray) -> bool:
    held = owner == np.arange(instance.n_clients)[:, None]
    return all((held & usable).any(axis=1).all() for usable in served_on(instance, costs))


@given(masked_instances())
def test_an_allocation_is_found_if_and_only_if_there_is_one(instance: Instance) -> None:
    """On small instances the answer is that of enumeration, with at most two subchannels a client."""
    costs = cut_costs(instance, 0)
    serving = serving_allocation(instance, costs)
    every = product(range(instance.n_clients), repeat=instance.n_subchannels)
    assert serving.complete == any(_serves(instance, costs, np.array(owner)) for owner in every)
    assert serving.impossible != serving.complete
    if serving.complete:
        assert _serves(instance, costs, serving.owner)
        assert np.bincount(serving.owner[serving.owner != FREE]).max() <= 2


def test_many_clients_that_all_need_two_are_served() -> None:
    """With 40 clients on 100 subchannels, half of which serve one direction each, everybody gets a pair."""
    instance = load_instance("paper:clients=40,subchannels=100")
    up = np.tile(np.arange(100) % 2 == 0, (40, 1))
    instance = masked(instance, up, ~up)
    assert serving_allocation(instance, cut_costs(instance, 0)).complete


def test_search_settles_what_matchings_do_not() -> None:
    """A client that could be served alone leaves its subchannel to one that has no other, and takes a pair."""
    instance = load_instance("paper:clients=2,subchannels=3")
    up, down = np.array([[1, 1, 0], [1, 0, 0]]), np.array([[1, 0, 1], [1, 0, 0]])
    serving = serving_allocation(masked(instance, up, down), cut_costs(instance, 0))
    assert serving.owner.tolist() == [1, 0, 0]
