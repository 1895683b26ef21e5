"""Networks made ready to be followed: out of their wrappers, with all weights there."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.weight_norm import WeightNorm

from epsl_opt.backends.pytorch.trial_inputs import what_failed
from epsl_opt.core.errors import InputError


def ready(name: str, network: nn.Module, example: Tensor) -> nn.Module:
    """Return the network that a wrapper holds, its lazy layers with the shapes that an input gives them.

    Raises
    ------
    InputError
        If lazy layers do not get their shapes, or the network can't be copied, as each client gets a copy.
    """
    network = _unwrapped(network)
    _initialise_lazy(name, network, example)
    _detach_normalised_weights(network)
    _refuse_uncopied(name, network)
    return network


def _detach_normalised_weights(network: nn.Module) -> None:
    """Let weights that a hook makes anew in every pass be copied."""
    for part in network.modules():
        for hook in part._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm):
                setattr(part, hook.name, getattr(part, hook.name).detach())


def _refuse_uncopied(name: str, network: nn.Module) -> None:
    try:
        copied = copy.deepcopy(network)
    except Exception as error:
        raise InputError(f"network {name}", f"can't be copied for each client: {what_failed(error)}") from error
    # Copies of what TorchScript compiled hold no parameters of their own to train.
    if lost := [key for key, parameter in copied.named_parameters() if not parameter.is_leaf]:
        problem = f"{lost[0]} of a copy of it is not trained; give the network as it was before TorchScript compiled it"
        raise InputError(f"network {name}", problem)


def _unwrapped(network: nn.Module) -> nn.Module:
    wrappers = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}
    while type(network).__module__.startswith("torch.") and type(network).__name__ in wrappers:
        network = getattr(network, wrappers[type(network).__name__])
    return network


def _initialise_lazy(name: str, network: nn.Module, example: Tensor) -> None:
    if not _lazy_tensors(network):
        return
    modes = [(part, part.training) for part in network.modules()]
    try:
        with torch.no_grad():
            network.eval()(example)
    except Exception as error:
        raise InputError(f"network {name}", f"has lazy layers, and does not run: {what_failed(error)}") from error
    for part, mode in modes:
        part.training = mode
    if left := _lazy_tensors(network):
        raise InputError(f"network {name}", f"has a lazy layer that never runs, {left[0]}")


def _lazy_tensors(network: nn.Module) -> list[str]:
    named = [*network.named_parameters(), *network.named_buffers()]
    return [name for name, tensor in named if is_lazy(tensor)]
