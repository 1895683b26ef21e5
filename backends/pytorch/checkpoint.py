"""Models and optimisers as safetensors: plain numbers, no code."""

from __future__ import annotations

import re

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from epsl_opt.backends.pytorch.checkpoint_note import SOURCE, make_note, read_note
from epsl_opt.backends.pytorch.optimisers import kept_names
from epsl_opt.backends.pytorch.rounds import Models
from epsl_opt.core.errors import InputError

_OPTIMISER_KEY = re.compile(r"(client_optimiser|server_optimiser)\.(\d{1,9})\.(\w+)")


def save_models(models: Models, rounds: int, metadata: str) -> bytes:
    """Return the state of all models and optimisers after so many rounds, and what the driver keeps with them."""
    found = {f"{part}.{key}": value for part, state in _states(models).items() for key, value in state.items()}
    tensors = {key: value.detach().cpu().clone() for key, value in found.items()}
    return safetensors.torch.save(tensors, make_note(rounds, metadata, tensors))


def restore_models(models: Models, checkpoint: bytes) -> tuple[int, str]:
    """Give models and optimisers the saved state; return the rounds done and what the driver keeps.

    Raises
    ------
    InputError
        If the bytes are no checkpoint, or one of other models.
    """
    try:
        tensors = safetensors.torch.load(checkpoint)
        found = read_note(checkpoint, tensors)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(SOURCE, f"is damaged: {error}") from error
    _refuse_other(models, tensors)
    for index, network in enumerate(models.networks):
        network.load_state_dict(_part(tensors, f"network{index}"))
    for name, optimiser in _optimisers(models).items():
        _load_optimiser(optimiser, _part(tensors, name))
    return found


def _states(models: Models) -> dict[str, dict[str, Tensor]]:
    networks = {f"network{index}": network.state_dict() for index, network in enumerate(models.networks)}
    return networks | {name: _flat(optimiser) for name, optimiser in _optimisers(models).items()}


def _optimisers(models: Models) -> dict[str, torch.optim.Optimizer]:
    both = {"client_optimiser": models.client_optimiser, "server_optimiser": models.server_optimiser}
    return {name: optimiser for name, optimiser in both.items() if optimiser is not None}


def _flat(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the tensors of an optimiser's state as `parameter.name`; it keeps none before its first step."""
    states: dict[int, dict[str, Tensor | None]] = optimiser.state_dict()["state"]
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


def _refuse_other(models: Models, found: dict[str, Tensor]) -> None:
    """Refuse other networks, and what their optimisers would not keep, which grows with the first step."""
    parts = {f"{part}.{key}": value for part, state in _states(models).items() for key, value in state.items()}
    expected = {key: value for key, value in parts.items() if not _OPTIMISER_KEY.fullmatch(key)}
    kept = {key: value for key, value in found.items() if _OPTIMISER_KEY.fullmatch(key)}
    for key in dict.fromkeys([*expected, *(key for key in found if key not in kept)]):
        if key not in expected or key not in found or not _alike(expected[key], found[key]):
            raise InputError(SOURCE, "is not of these models", key)
    fitting = {name: _fitting(name, optimiser, kept) for name, optimiser in _optimisers(models).items()}
    for key in kept:
        if not any(key in keys for keys in fitting.values()):
            raise InputError(SOURCE, "is not of these models", key)


def _fitting(name: str, optimiser: torch.optim.Optimizer, kept: dict[str, Tensor]) -> set[str]:
    """Return the entries that an optimiser can have: for a parameter all that it keeps, of that parameter's shape."""
    found: set[str] = set()
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    for index, parameter in enumerate(parameters):
        shapes = {f"{name}.{index}.{key}": shape for key, shape in kept_names(optimiser, parameter).items()}
        if all(key in kept and kept[key].shape == shape for key, shape in shapes.items()):
            found |= set(shapes)
    return found


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype
