"""Models and optimisers as safetensors: plain numbers, no code."""

from __future__ import annotations

import json
import re
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from epsl_opt.backends.pytorch.models import Models
from epsl_opt.errors import InputError

SOURCE = "checkpoint"
NOTE = "epsl-opt"
"""The one entry of the file's metadata: several would come in any order, and equal states have equal files."""

_HEADER_BYTES = 8
_OPTIMISER_KEY = re.compile(r"(client|server)_optimiser\.\d{1,9}\.\w+")


def save_models(models: Models, note: str) -> bytes:
    """Return the state of all models and optimisers, and a note to go with them."""
    tensors = {f"{part}.{key}": value for part, state in _states(models).items() for key, value in state.items()}
    return safetensors.torch.save({key: value.detach().cpu().clone() for key, value in tensors.items()}, {NOTE: note})


def restore_models(models: Models, checkpoint: bytes) -> str:
    """Give models and optimisers the saved state; return the note.

    Raises
    ------
    InputError
        If the bytes are no checkpoint, or one of other models.
    """
    try:
        tensors, note = safetensors.torch.load(checkpoint), _note(checkpoint)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise InputError(SOURCE, f"is damaged: {error}") from error
    _refuse_other(_states(models), tensors)
    for index, network in enumerate(models.networks):
        network.load_state_dict(_part(tensors, f"network{index}"))
    for name, optimiser in _optimisers(models).items():
        _load_optimiser(optimiser, _part(tensors, name))
    return note


def _states(models: Models) -> dict[str, dict[str, Tensor]]:
    networks = {f"network{index}": network.state_dict() for index, network in enumerate(models.networks)}
    return networks | {name: _flat(optimiser) for name, optimiser in _optimisers(models).items()}


def _optimisers(models: Models) -> dict[str, torch.optim.Optimizer]:
    both = {"client_optimiser": models.client_optimiser, "server_optimiser": models.server_optimiser}
    return {name: optimiser for name, optimiser in both.items() if optimiser is not None}


def _flat(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the tensors of an optimiser's state as `parameter.name`; it keeps none before its first step."""
    states: dict[int, dict[str, Any]] = optimiser.state_dict()["state"]
    entries = ((f"{index}.{name}", value) for index, state in states.items() for name, value in state.items())
    return {key: value for key, value in entries if value is not None}


def _load_optimiser(optimiser: torch.optim.Optimizer, flat: dict[str, Tensor]) -> None:
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in flat.items():
        index, _, name = key.partition(".")
        states.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})


def _part(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _refuse_other(expected: dict[str, dict[str, Tensor]], found: dict[str, Tensor]) -> None:
    """Refuse other networks; what an optimiser keeps grows with its first step, so only its form is looked at."""
    shapes = {f"{part}.{key}": value.shape for part, state in expected.items() for key, value in state.items()}
    for key in dict.fromkeys([*shapes, *found]):
        is_optimiser = _OPTIMISER_KEY.fullmatch(key) is not None
        if not is_optimiser and (key not in found or shapes.get(key) != found[key].shape):
            raise InputError(SOURCE, "is not of these models", key)


def _note(checkpoint: bytes) -> str:
    length = int.from_bytes(checkpoint[:_HEADER_BYTES], "little")
    header = json.loads(checkpoint[_HEADER_BYTES : _HEADER_BYTES + length])
    return str(header["__metadata__"][NOTE])
