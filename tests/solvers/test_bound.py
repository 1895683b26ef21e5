"""The bound as a library function, and what more of a resource is worth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from strategies import instances

from epsl_opt import InputError, Instance, Limits, load_instance, solve
from epsl_opt.core.instance import Client, Server
from epsl_opt.core.marginal_values import MarginalValues
from epsl_opt.solvers.dual.bound import lower_bound_s


@settings(deadline=None, max_examples=40)
@given(instances(max_clients=3, max_subchannels=5))
def test_the_bound_is_below_the_optimum(instance: Instance) -> None:
    """The library's bound never exceeds the enumerated optimum."""
    optimum = solve(instance, "brute-force").latency_s
    assert optimum is not None
    assert lower_bound_s(instance) <= optimum


def test_no_bound_without_a_schedule() -> None:
    """An instance without a schedule is an error in the problem's words, not an infinite bound."""
    instance = load_instance("paper:clients=5,subchannels=5")
    few = instance.replace(clients=(*instance.clients, instance.clients[0]), channel=_with_a_row_more(instance))
    with pytest.raises(InputError, match="fewer subchannels than clients"):
        lower_bound_s(few)


def _with_a_row_more(instance: Instance) -> dict[str, object]:
    channel = instance.channel.to_document()
    return {
        **channel,
        "uplink_gain": [*channel["uplink_gain"], channel["uplink_gain"][0]],
        "downlink_gain": [*channel["downlink_gain"], channel["downlink_gain"][0]],
    }


def _faster_server(instance: Instance, factor: float) -> Instance:
    server = instance.server.to_document()
    return instance.replace(server=Server(**(server | {"cycles_per_s": server["cycles_per_s"] * factor})))


def _more_total_power(instance: Instance, factor: float) -> Instance:
    server = instance.server.to_document()
    power = {"total_uplink_power_w": server["total_uplink_power_w"] * factor}
    return instance.replace(server=Server(**(server | power)))


def _more_power_for_all(instance: Instance, factor: float) -> Instance:
    clients = [client.to_document() for client in instance.clients]
    return instance.replace(clients=tuple(Client(**(c | {"max_power_w": c["max_power_w"] * factor})) for c in clients))


def _faster_clients(instance: Instance, factor: float) -> Instance:
    clients = [client.to_document() for client in instance.clients]
    return instance.replace(
        clients=tuple(Client(**(c | {"cycles_per_s": c["cycles_per_s"] * factor})) for c in clients)
    )


def _values(instance: Instance) -> MarginalValues:
    values = solve(instance, "exact", Limits(rel_gap=1e-6)).marginal_values
    assert values is not None
    return values


def _worth_s(values: MarginalValues, instance: Instance) -> dict[str, float]:
    """Seconds saved per relative increase of each resource."""
    giga = 1e9
    return {
        "server": values.server_compute_s_per_gflops * instance.server_flops_per_s / giga,
        "clients": float(values.client_compute_s_per_gflops @ instance.client_flops_per_s) / giga,
        "power": float(values.client_power_s_per_w @ instance.max_power_w),
        "total": values.total_uplink_power_s_per_w * instance.server.total_uplink_power_w,
    }


@pytest.mark.parametrize("spec", ["paper", "paper:fading=rayleigh", "paper:seed=4", "paper:total_power_dbm=25,seed=1"])
def test_marginal_values_agree_with_solving_the_relaxation_again(spec: str) -> None:
    """Each marginal value equals the change of the bound when a little more of the resource is given, to 2 %."""
    instance, step = load_instance(spec), 1e-3
    changes: dict[str, Callable[[Instance, float], Instance]] = {
        "server": _faster_server,
        "clients": _faster_clients,
        "power": _more_power_for_all,
        "total": _more_total_power,
    }
    worth = _worth_s(_values(instance), instance)
    for resource, change in changes.items():
        saved = lower_bound_s(change(instance, 1 - step)) - lower_bound_s(change(instance, 1 + step))
        assert worth[resource] == pytest.approx(saved / (2 * step), rel=0.02, abs=1e-3 * lower_bound_s(instance)), (
            resource
        )
