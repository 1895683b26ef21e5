"""Random samples for networks of which only the shape of the input is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Draw = Callable[[tuple[int, ...], torch.Generator], Tensor]


def _normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=generator)


def _unit(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator)


def _nothing(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.zeros(shape)


@dataclass(frozen=True)
class Inputs:
    """Samples like `example`, drawn in a way that the network takes."""

    example: Tensor
    draw: Draw

    def batch(self, samples: int, seed: int) -> Tensor:
        """Return so many samples."""
        generator = torch.Generator().manual_seed(seed)
        return self.draw((samples, *self.example.shape[1:]), generator).to(self.example.dtype)


@torch.no_grad()
def runnable_inputs(network: nn.Module, example: Tensor) -> Inputs:
    """Return samples that a network runs on: some take only what is never negative, or what counts from 0."""
    draws = (_normal, _unit, _nothing) if example.is_floating_point() else (_nothing,)
    for draw in draws[:-1]:
        try:
            network.eval()(Inputs(example, draw).batch(2, seed=0))
        except Exception:
            continue
        return Inputs(example, draw)
    return Inputs(example, draws[-1])


def what_failed(error: Exception) -> str:
    """Return what an error of PyTorch says, without what it adds about the node of a graph."""
    return str(error).partition("\n\nWhile executing")[0].strip() or type(error).__name__
