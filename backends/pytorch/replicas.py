"""One client-side model with its optimiser's state as safetensors: how it travels."""

from __future__ import annotations

import safetensors
import safetensors.torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.rounds import Models
from epsl_opt.core.errors import InputError

_NETWORK, _OPTIMISER = "network.", "optimiser."


def replica_state(models: Models, replica: int) -> bytes:
    """Return a client-side model's numbers, and what its optimiser remembers of it."""
    network = models.clients[replica]
    tensors = {f"{_NETWORK}{key}": value for key, value in network.state_dict().items()}
    if models.client_optimiser is not None:
        for position, parameter in enumerate(_trained(network)):
            kept = models.client_optimiser.state.get(parameter, {})
            named = {f"{_OPTIMISER}{position}.{name}": value for name, value in kept.items()}
            tensors |= {key: value for key, value in named.items() if isinstance(value, Tensor)}
    return safetensors.torch.save({key: value.detach().cpu().clone() for key, value in tensors.items()})


def load_replica(models: Models, replica: int, state: bytes, source: str) -> None:
    """Give a client-side model what `replica_state` returned of another.

    Raises
    ------
    InputError
        If the bytes are no such state, naming `source`.
    """
    network = models.clients[replica]
    try:
        tensors = safetensors.torch.load(state)
        weights = {key.removeprefix(_NETWORK): t for key, t in tensors.items() if key.startswith(_NETWORK)}
        network.load_state_dict(weights)
        if models.client_optimiser is not None:
            for position, parameter in enumerate(_trained(network)):
                models.client_optimiser.state[parameter] = _kept(tensors, position, parameter)
    except (safetensors.SafetensorError, RuntimeError, ValueError) as error:
        raise InputError(source, f"sent a model that does not fit: {error}") from error


def _kept(tensors: dict[str, Tensor], position: int, parameter: Tensor) -> dict[str, Tensor]:
    prefix = f"{_OPTIMISER}{position}."
    found = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    # Counters of steps stay where optimisers keep them.
    return {name: value if value.dim() == 0 else value.to(parameter.device) for name, value in found.items()}


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
