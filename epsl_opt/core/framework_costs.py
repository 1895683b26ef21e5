"""What a cut layer costs under the framework that an instance is about (model.md section 4).

Every framework is one problem to the solvers: an uplink phase, a downlink phase, an exchange of models that all clients
begin together, and what nobody can change. SplitFed exchanges client-side models every round, (E)PSL with averaging an
I-th part of that; federated averaging has an uplink phase only, in which whole models are sent; clients that take turns
leave nothing to allocate.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import centralised_round, vanilla_sl_round
from epsl_opt.core.instance_data import InstanceData
from epsl_opt.core.latency import CutCosts, broadcast_time_s, split_costs


def cut_costs(instance: InstanceData, cut_layer: int) -> CutCosts:
    """Evaluate what a cut layer fixes, and the traffic, of the round that the instance is about.

    Raises
    ------
    IndexError
        If the instance has no such cut layer.
    """
    match instance.training.framework:
        case None | Framework.EPSL:
            split = split_costs(instance, cut_layer, instance.aggregated_samples)
            return _with_exchange(instance, cut_layer, split, instance.training.average_every)
        case Framework.PSL:
            return _with_exchange(
                instance, cut_layer, split_costs(instance, cut_layer, 0), instance.training.average_every
            )
        case Framework.SFL | Framework.SFL_V2:
            return _with_exchange(instance, cut_layer, split_costs(instance, cut_layer, 0), 1)
        case Framework.SL:
            return _unallocated(instance, vanilla_sl_round(instance, cut_layer).round_latency_s)
        case Framework.FL:
            return _whole_models(instance)
        case Framework.CENTRALISED:
            return _unallocated(instance, centralised_round(instance).round_latency_s)


def _with_exchange(instance: InstanceData, cut_layer: int, split: CutCosts, every: int | None) -> CutCosts:
    """Add an exchange of client-side models after every so many rounds."""
    if every is None:
        return split
    bits = instance.model.cut_layers[cut_layer].client_parameter_bits
    return replace(split, exchange_bits=bits / every, exchange_broadcast_s=broadcast_time_s(instance, bits) / every)


def _whole_models(instance: InstanceData) -> CutCosts:
    """Federated averaging: nobody waits before its model is sent, whatever the cut layer."""
    model = instance.model
    flops = instance.training.batch_size * (model.total_forward_flops + model.total_backward_flops)
    return replace(
        _unallocated(instance, 0.0),
        client_forward_s=flops / instance.client_flops_per_s,
        broadcast_s=broadcast_time_s(instance, model.total_parameter_bits),
        uplink_bits=model.total_parameter_bits,
        broadcast_bits=model.total_parameter_bits,
    )


def _unallocated(instance: InstanceData, turns_s: float) -> CutCosts:
    idle = np.zeros(instance.n_clients)
    return CutCosts(
        client_forward_s=idle,
        client_backward_s=idle,
        server_forward_s=0.0,
        server_backward_s=0.0,
        broadcast_s=0.0,
        uplink_bits=0.0,
        downlink_bits=0.0,
        broadcast_bits=0.0,
        turns_s=turns_s,
    )
