"""Random networks of plain and odd blocks, and the check that a chain cut from one is that network."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from operator import attrgetter

import numpy as np
import torch
from torch import Tensor, nn

from campaign.network_blocks import blocks
from epsl_opt.backends.pytorch.chain import Chain

Factory = Callable[[], nn.Module]

WIDTH = 8
INPUT = (2, 4)
"""Of one sample; flattened, it is a row of `WIDTH` numbers."""

STEPS = 3
LEARNING_RATE = 0.5


class Stacked(nn.Module):
    """Blocks one after another, run by a `forward` of its own; `inline` ones are written out in it."""

    def __init__(self, stack: Sequence[nn.Module], inline: Sequence[bool], classes: int) -> None:
        super().__init__()
        self.stem, self.blocks, self.head = nn.Linear(WIDTH, WIDTH), nn.ModuleList(stack), nn.Linear(WIDTH, classes)
        self.inline = list(inline)

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        x = self.stem(x.flatten(1))
        for block, inline in zip(self.blocks, self.inline, strict=True):
            x = block.run(block, x) if inline and hasattr(block, "run") else block(x)
        return self.head(x)


def random_network(rng: np.random.Generator) -> tuple[Factory, tuple[int, ...], int]:
    """Return what makes a network, always with the same weights, the shape of a sample, and the number of classes."""
    known, classes = blocks(), int(rng.integers(2, 6))
    names = [str(name) for name in rng.choice(list(known), rng.integers(1, 4))]
    sequential, double = bool(rng.random() < 0.4), bool(rng.random() < 0.1)
    inline = [bool(flag) for flag in rng.random(len(names)) < 0.4]
    seed = int(rng.integers(2**31))

    def make() -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            stack = [known[name](WIDTH) for name in names]
            ends = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, classes)
            network = (
                nn.Sequential(nn.Flatten(), ends[0], *stack, ends[1]) if sequential else Stacked(stack, inline, classes)
            )
            network.kinds = [*names, "sequential" if sequential else f"inline {inline}"]
            return network.double() if double else network

    return make, INPUT, classes


def differences(network: nn.Module, chain: Chain, input_shape: tuple[int, ...], seed: int = 0) -> list[str]:
    """Return where a chain, cut everywhere and copied as a training does, learns otherwise than its network.

    Both take some steps of gradient descent on the same samples and random numbers, and are then evaluated.
    """
    names = {id(tensor): name for name, tensor in [*network.named_parameters(), *network.named_buffers()]}
    copies = [copy.deepcopy(segment) for segment in chain.segments]
    places = [
        (names[id(own)], copied, local)
        for segment, copied in zip(chain.segments, copies, strict=True)
        for local, own in [*segment.named_parameters(), *segment.named_buffers()]
        if id(own) in names
    ]
    dtype = next((p.dtype for p in network.parameters()), torch.float32)
    found = []
    for step in range(STEPS):
        x = torch.randn(5, *input_shape, generator=torch.Generator().manual_seed(seed + step)).to(dtype)
        seeded = seed + step
        expected, got = _learn(network, x, seeded), _learn_cut(copies, x, seeded)
        found += [] if _close(expected, got) else [f"loss of step {step}"]
        pairs = ((name, attrgetter(name)(network), attrgetter(local)(copied)) for name, copied, local in places)
        found += [f"{name} after step {step}" for name, own, other in pairs if not _close(own, other)]
    _seed(seed)
    expected = _inference(network.eval(), x)
    _seed(seed)
    got = _inference(nn.Sequential(*copies).eval(), x)
    return found + ([] if _close(expected, got) else ["evaluation"])


def _learn(network: nn.Module, x: Tensor, seed: int) -> Tensor:
    _seed(seed)
    network.train().zero_grad()
    loss = network(x).square().mean()
    loss.backward()
    _descend([network])
    return loss.detach()


def _learn_cut(segments: Sequence[nn.Module], x: Tensor, seed: int) -> Tensor:
    _seed(seed)
    sent, received = [], [x]
    for segment in segments:
        segment.train().zero_grad()
        sent.append(segment(received[-1]))
        received.append(sent[-1].detach().clone().requires_grad_(sent[-1].requires_grad))
    loss = received[-1].square().mean()
    loss.backward()
    for output, given in zip(reversed(sent), reversed(received), strict=False):
        if output.requires_grad and given.grad is not None:
            output.backward(given.grad)
    _descend(segments)
    return loss.detach()


@torch.no_grad()
def _descend(modules: Sequence[nn.Module]) -> None:
    for module in modules:
        for parameter in module.parameters():
            if parameter.grad is not None:
                parameter.sub_(LEARNING_RATE * parameter.grad)


@torch.inference_mode()
def _inference(network: nn.Module, x: Tensor) -> Tensor:
    return network(x)


def _close(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True)


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
