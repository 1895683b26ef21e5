"""Limits on the cut layer, by privacy or by the clients' memory, hold for every solver."""

from __future__ import annotations

import pytest

from epsl_opt import InputError, Instance, Limits, Schedule, check, load_instance, solve
from epsl_opt.core.cut_limits import limit_cuts
from epsl_opt.core.latency import client_memory_bits
from epsl_opt.plugins import registry

SOLVERS = registry.names(registry.SOLVERS)
LIMITS = Limits(time_s=30.0, rel_gap=1e-3)


def paper() -> Instance:
    """Return a small instance whose best cut layer is neither the first nor the last."""
    return load_instance("paper:clients=2,subchannels=4,model=lenet5-28,seed=3")


def with_memory(instance: Instance, limit_bits: float) -> Instance:
    """Give one client that much memory."""
    first, *others = instance.clients
    return instance.replace(clients=(first.model_copy(update={"memory_bits": limit_bits}), *others))


@pytest.mark.parametrize("solver", SOLVERS)
def test_solving_with_limits_is_solving_what_they_leave(solver: str) -> None:
    """Both limits together give the latency of the instance that has only the cut layers between them."""
    free = paper()
    names = [cut.name for cut in free.model.cut_layers]
    between = with_memory(free, client_memory_bits(free, 3)).with_training(min_cut_layer=names[2])
    found = solve(between, solver, LIMITS)
    assert found.schedule is not None
    assert found.schedule.cut_layer in (2, 3)
    expected = solve(free.with_cut_layers(names[2:4]), solver, LIMITS)
    if not solver.startswith("baseline"):
        assert found.latency_s == pytest.approx(expected.latency_s, rel=2e-3)


def test_the_checker_names_the_limit() -> None:
    """A schedule that cuts too early, or where a client lacks memory, is told so, with the amount."""
    free = paper()
    schedule = solve(free, "greedy").schedule
    assert schedule is not None
    names = [cut.name for cut in free.model.cut_layers]
    early = Schedule(1, schedule.subchannel_client, schedule.subchannel_power_w)
    assert check(free, early) == []
    (violation,) = check(free.with_training(min_cut_layer=names[3]), early)
    assert (violation.constraint, violation.amount) == ("cut layer is allowed", 2)
    needed = client_memory_bits(free, 1)
    (violation,) = check(with_memory(free, needed - 8), early)
    assert (violation.constraint, violation.entity, violation.amount) == ("client memory", "client-0", 8)
    assert check(with_memory(free, needed), early) == []


def test_no_cut_layer_left_is_infeasible_in_words() -> None:
    """Where a limit leaves no cut layer, the reason names client, memory and cut layer."""
    result = solve(with_memory(paper(), 8.0), "greedy")
    assert result.stop_reason == "infeasible_proved"
    assert "client-0 has 8 bit of memory, and cut layer conv1 takes" in result.message


def test_unknown_first_cut_layer_is_refused() -> None:
    """A first cut layer that the model lacks is an error that names near matches."""
    with pytest.raises(ValueError, match="did you mean conv2 or conv1"):
        paper().with_training(min_cut_layer="conv")


def test_memory_counts_weights_twice_and_the_batch_once() -> None:
    """The memory of a cut is that of weights and gradients, and of what is stored for each sample of the batch."""
    instance = paper()
    cuts = instance.model.cut_layers
    expected = 2 * cuts[2].client_parameter_bits + 64 * sum(cut.activation_bits for cut in cuts[:3])
    assert client_memory_bits(instance, 2) == expected
    told = cuts[2].model_copy(update={"stored_activation_bits": 100.0})
    model = instance.model.model_copy(update={"cut_layers": (*cuts[:2], told, *cuts[3:])})
    assert client_memory_bits(instance.replace(model=model), 2) == 2 * cuts[2].client_parameter_bits + 6400


def test_fewer_cut_layers_take_no_less_memory() -> None:
    """What training at a cut layer takes of a client's memory does not depend on which others may be chosen."""
    free = paper()
    for j, cut in enumerate(free.model.cut_layers):
        assert client_memory_bits(free.with_cut_layers([cut.name]), 0) == client_memory_bits(free, j)


def test_a_first_cut_layer_that_is_left_out_is_one_line() -> None:
    """Cut layers that exclude the first one allowed are an error of the user's, naming the field."""
    names = [cut.name for cut in paper().model.cut_layers]
    limited = paper().with_training(min_cut_layer=names[2])
    with pytest.raises(InputError, match=r"training\.min_cut_layer"):
        limit_cuts(limited, names[3:], None)
