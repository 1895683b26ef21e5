"""What modules keep, in tensors and in other attributes, and how to leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_TORCHS_OWN = frozenset(vars(nn.Module()))
_REGISTERED = ("_parameters", "_buffers", "_modules")


def tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers by name."""
    return dict(module.named_parameters()) | dict(module.named_buffers())


def attributes(module: nn.Module) -> dict[str, object]:
    """Return what the parts of a module keep besides parameters, buffers and parts, by path."""
    return {
        f"{path}.{key}".removeprefix("."): value
        for path, part in module.named_modules()
        for key, value in vars(part).items()
        if key not in _TORCHS_OWN
    }


@contextmanager
def left_alone(module: nn.Module) -> Iterator[None]:
    """Give a module back all that it had before the block: attributes, modes, values and gradients."""
    kept = [(part, _attributes_of(part)) for part in module.modules() if not isinstance(part, torch.jit.ScriptModule)]
    values = [(tensor, tensor.detach().clone(), tensor.grad) for tensor in tensors(module).values()]
    try:
        yield
    finally:
        for part, own in kept:
            part.__dict__.clear()
            part.__dict__.update(own)
        for tensor, value, gradient in values:
            _set(tensor, value)
            tensor.grad = gradient


@torch.no_grad()
def load(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Set the values that a `state_dict` holds, without a trace in automatic differentiation."""
    for name, tensor in module.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor):
            _set(tensor, state[name])


def _attributes_of(part: nn.Module) -> dict[str, object]:
    own = dict(vars(part))
    return own | {key: own[key].copy() for key in _REGISTERED if key in own}


def _set(tensor: Tensor, value: Tensor) -> None:
    # What stays as it was keeps its version, too.
    if not torch.equal(tensor, value):
        with torch.no_grad():
            tensor.copy_(value)


class Watch:
    """Notes what a module keeps, to tell later what has changed.

    Parameters
    ----------
    module
        Nothing of it is copied.
    """

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._kept = attributes(module)
        self._buffers = [(part, dict(part._buffers)) for part in module.modules()]
        self._marks = {path: _mark(value) for path, value in self._kept.items()}
        self._versions = {name: (id(tensor), _version(tensor)) for name, tensor in tensors(module).items()}

    def restore_attributes(self) -> None:
        """Put back the attributes and buffers that were there, though not what these held."""
        for part, buffers in self._buffers:
            part._buffers.update(buffers)
        parts = dict(self._module.named_modules())
        for path in self.changed_attributes():
            owner, _, key = path.rpartition(".")
            if path in self._kept:
                parts[owner].__dict__[key] = self._kept[path]
            else:
                del parts[owner].__dict__[key]

    def changed_attributes(self) -> dict[str, bool]:
        """Return the paths of changed attributes, and whether any of it is more than a tensor put there."""
        now = attributes(self._module)
        marks = {path: _mark(value) for path, value in now.items()}
        paths = [path for path in {**self._marks, **marks} if self._marks.get(path) != marks.get(path)]
        return {path: not _is_passing(now.get(path)) for path in paths}

    def changed_tensors(self) -> list[str]:
        """Return the names of parameters and buffers that were written to or replaced."""
        now = {name: (id(tensor), _version(tensor)) for name, tensor in tensors(self._module).items()}
        return [name for name in {**self._versions, **now} if self._versions.get(name) != now.get(name)]


def _version(tensor: Tensor) -> int:
    # Followed symbolically, a module may have put something else in a buffer's place.
    return tensor._version if isinstance(tensor, Tensor) and not tensor.is_inference() else 0


def _is_passing(value: object) -> bool:
    """Return whether a value is what modules note of their last pass for others to look at."""
    return isinstance(value, Tensor | torch.fx.Proxy)


def _mark(value: object, depth: int = 3) -> object:
    """Return something that is equal as long as the value stays as it is."""
    if isinstance(value, bool | int | float | complex | str | bytes | None):
        return repr(value)
    if isinstance(value, list | tuple) and depth:
        return [_mark(item, depth - 1) for item in value]
    if isinstance(value, dict) and depth:
        return {repr(key): _mark(item, depth - 1) for key, item in value.items()}
    return id(value)
