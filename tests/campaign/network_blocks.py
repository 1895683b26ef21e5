"""Blocks of generated networks: what people write into `forward`, the odd with the plain.

Every block takes and returns rows of `width` numbers, so that any may follow any other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, spectral_norm

Block = Callable[[int], nn.Module]


class Scripted(nn.Module):
    """A linear layer, and a function of the block and its input that says what is done with it."""

    def __init__(self, width: int, run: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.layer, self.other = nn.Linear(width, width), nn.Linear(width, width)
        self.run, self.calls, self.kept = run, 0, None
        self.register_buffer("running", torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        return self.run(self, x)


def _without_gradient(block: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.relu(block.layer(x))


def _autocast(block: Any, x: Tensor) -> Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = torch.relu(block.layer(x))
    return y.to(x.dtype)


def _layer_drop(block: Any, x: Tensor) -> Tensor:
    return x if block.training and random.random() < 0.3 else x + block.layer(x)


def _numpy_drop(block: Any, x: Tensor) -> Tensor:
    kept = np.random.random() > 0.2  # noqa: NPY002
    return x * float(kept) if block.training else block.layer(x)


def _counts(block: Any, x: Tensor) -> Tensor:
    block.calls += 1
    return block.layer(x) / block.calls


def _remembers(block: Any, x: Tensor) -> Tensor:
    before, block.kept = block.kept, x.detach().mean(0)
    return block.layer(x if before is None else x + before)


def _own_batch_norm(block: Any, x: Tensor) -> Tensor:
    if block.training:
        block.running = 0.9 * block.running + 0.1 * x.detach().mean(0)
        return block.layer(x - x.mean(0))
    return block.layer(x - block.running)


def _depends_on_data(block: Any, x: Tensor) -> Tensor:
    return block.layer(x) if bool(x.sum() > 0) else block.other(x)


def _clamps_its_weights(block: Any, x: Tensor) -> Tensor:
    block.layer.weight.data.clamp_(-0.05, 0.05)
    return block.layer(x)


RUNS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "residual": lambda block, x: x + torch.relu(block.layer(x)),
    "tied": lambda block, x: functional.linear(torch.tanh(block.layer(x)), block.layer.weight.t()),
    "in place": lambda block, x: block.layer(x).add_(1).relu_(),
    "in-place dropout": lambda block, x: block.other(
        functional.dropout(block.layer(x), 0.4, block.training, inplace=True)
    ),
    "overwrites its input": lambda block, x: block.layer(x.relu_()),
    "detached": lambda block, x: block.layer(x) + block.other(x.detach()),
    "stops the gradient": lambda block, x: block.layer(x.detach()),
    "random": lambda block, x: block.layer(x) * torch.rand_like(x),
    "constant noise": lambda block, x: block.layer(x) + torch.rand(block.running.shape),
    "batch size": lambda block, x: block.layer(x) * x.shape[0],
    "over the batch": lambda block, x: block.layer(x) * x.softmax(0),
    "no gradient": _without_gradient,
    "autocast": _autocast,
    "layer drop": _layer_drop,
    "numpy drop": _numpy_drop,
    "counts": _counts,
    "remembers": _remembers,
    "own batch norm": _own_batch_norm,
    "data": _depends_on_data,
    "clamps": _clamps_its_weights,
}


def _hooked(width: int, register: Callable[[nn.Module], Any]) -> nn.Module:
    block = nn.Sequential(nn.Linear(width, width), nn.Tanh())
    register(block)
    return block


def _frozen(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width)).requires_grad_(False)


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.unflatten(1, (-1, 4))
        return (tokens + self.attention(tokens, tokens, tokens)[0]).flatten(1)


class _Recurrent(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x.unflatten(1, (-1, 4)))[0].flatten(1)


MODULES: dict[str, Block] = {
    "linear": lambda width: nn.Sequential(nn.Linear(width, width), nn.ReLU(inplace=True)),
    "batch norm": lambda width: nn.Sequential(nn.Linear(width, width), nn.BatchNorm1d(width), nn.Tanh()),
    "layer norm": lambda width: nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU()),
    "dropout": lambda width: nn.Sequential(nn.Linear(width, width), nn.Dropout(0.3)),
    "weight norm": lambda width: parametrizations.weight_norm(nn.Linear(width, width)),
    "spectral norm": lambda width: parametrizations.spectral_norm(nn.Linear(width, width)),
    "old spectral norm": lambda width: spectral_norm(nn.Linear(width, width)),
    "orthogonal": lambda width: parametrizations.orthogonal(nn.Linear(width, width)),
    "frozen": _frozen,
    "lazy": nn.LazyLinear,
    "attention": _Attention,
    "recurrent": _Recurrent,
    "scripted": lambda width: torch.jit.trace(nn.Linear(width, width), torch.zeros(2, width)),
    "forward hook": lambda width: _hooked(width, lambda m: m.register_forward_hook(lambda _m, _x, y: 2 * y)),
    "input hook": lambda width: _hooked(width, lambda m: m.register_forward_pre_hook(lambda _m, x: (x[0] + 1,))),
    "backward hook": lambda width: _hooked(
        width, lambda m: m.register_full_backward_hook(lambda _m, given, _y: tuple(0.5 * g for g in given))
    ),
    "gradient hook": lambda width: _hooked(
        width, lambda m: next(m.parameters()).register_hook(lambda gradient: 0.1 * gradient)
    ),
}


def blocks() -> dict[str, Block]:
    """Return what makes a block of a width, by the name of its kind."""
    return MODULES | {name: (lambda width, run=run: Scripted(width, run)) for name, run in RUNS.items()}
