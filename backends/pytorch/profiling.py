"""What a network costs per sample, counted by PyTorch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.counting import FlopCounter
from epsl_opt.backends.pytorch.dry_run import on_copy
from epsl_opt.core.instance import CutLayer, ModelProfile

log = logging.getLogger(__name__)

BATCHES = (2, 3, 5)
"""Sizes of the batches that are counted; batch normalisation needs more than one sample to train."""

BITS_PER_BYTE = 8


@dataclass(frozen=True)
class SegmentCost:
    """Cost of a segment.

    Parameters
    ----------
    forward_flops, backward_flops
        For each sample.
    output_bits
        Size of the tensor it passes on, for each sample.
    pass_flops
        Forward and backward, for each pass, however many samples it has.
    uncounted
        Operators whose FLOPs are not counted.
    """

    forward_flops: float
    backward_flops: float
    output_bits: float
    pass_flops: float = 0.0
    uncounted: tuple[str, ...] = ()


def profile_chain(chain: Chain, input_shape: tuple[int, ...]) -> ModelProfile:
    """Count the costs of a network at each cut, as `problems.network_costs` does: one multiply-add is two FLOPs.

    The backward pass is a real one; it gives the gradients of the trained parameters, and that of a segment's input
    where a parameter before it is trained. Frozen parameters are never sent, and do not count as bits.

    What a pass costs however many samples it has (normalised weights, tables made by small networks) is no part of the
    costs of a sample: a warning tells how much it is, as one names operators that are not counted.

    Raises
    ------
    InputError
        If the network does not take such an input.
    """
    costs = segment_costs(chain, input_shape)
    _warn(chain, costs)
    return ModelProfile(
        name=chain.name[:200],
        total_forward_flops=sum(cost.forward_flops for cost in costs),
        total_backward_flops=sum(cost.backward_flops for cost in costs),
        last_layer_backward_flops=costs[-1].backward_flops,
        total_parameter_bits=_parameter_bits(chain, len(costs)),
        cut_layers=tuple(_cut_layer(chain, costs, n) for n in range(1, len(costs))),
    )


def segment_costs(chain: Chain, input_shape: tuple[int, ...]) -> list[SegmentCost]:
    """Count the costs of each segment in training.

    Raises
    ------
    InputError
        If the network does not take such an input.
    """
    whole = chain.client_side(len(chain.segments))
    counts = [on_copy(chain.name, whole, torch.zeros(n, *input_shape), _count) for n in BATCHES]
    return [_cost(chain, name, of_one) for name, *of_one in zip(chain.names, *counts, strict=True)]


@dataclass(frozen=True)
class _Count:
    """What a pass of some samples costs."""

    flops: tuple[int, int]
    bits: int
    uncounted: tuple[str, ...]


def _count(segments: nn.Module, x: Tensor) -> list[_Count]:
    counts = []
    for segment in segments.train().children():
        with FlopCounter() as forward:
            output = segment(x)
        with FlopCounter() as backward:
            if output.requires_grad:
                output.backward(torch.ones_like(output))
        bits = BITS_PER_BYTE * output.element_size() * output.numel()
        uncounted = (*forward.uncounted, *backward.uncounted)
        counts.append(_Count((forward.flops, backward.flops), bits, uncounted))
        x = output.detach().requires_grad_(output.requires_grad)
    return counts


def _cost(chain: Chain, name: str, counts: Sequence[_Count]) -> SegmentCost:
    """Separate what each sample costs from what each pass does."""
    (few, some, many), flops = BATCHES, [count.flops for count in counts]
    slopes = [(b - a) / (some - few) for a, b in zip(flops[0], flops[1], strict=True)]
    constants = [a - few * slope for a, slope in zip(flops[0], slopes, strict=True)]
    straight = all(c + many * s == b for c, s, b in zip(constants, slopes, flops[2], strict=True))
    if not straight or min(*slopes, *constants) < 0:
        told = "network %s: FLOPs of %s depend on data, chance or the size of a batch; counted for %d samples"
        log.warning(told, chain.name, name, many)
        slopes, constants = [b / many for b in flops[2]], [0.0, 0.0]
    return SegmentCost(slopes[0], slopes[1], counts[0].bits / few, sum(constants), counts[0].uncounted)


def _warn(chain: Chain, costs: Sequence[SegmentCost]) -> None:
    """Tell what the costs of a sample leave out."""
    for name, cost in zip(chain.names, costs, strict=True):
        if cost.uncounted:
            what = ", ".join(dict.fromkeys(cost.uncounted))
            log.warning("network %s: FLOPs of %s in %s are not known and not counted", chain.name, what, name)
    if constant := sum(cost.pass_flops for cost in costs):
        told = "network %s: %.4g MFLOP more in each pass, however many samples it has, are not in the costs of a sample"
        log.warning(told, chain.name, constant / 1e6)


def _cut_layer(chain: Chain, costs: Sequence[SegmentCost], n_segments: int) -> CutLayer:
    client, smashed_bits = costs[:n_segments], costs[n_segments - 1].output_bits
    return CutLayer(
        name=chain.names[n_segments - 1],
        client_forward_flops=sum(cost.forward_flops for cost in client),
        client_backward_flops=sum(cost.backward_flops for cost in client),
        activation_bits=smashed_bits,
        gradient_bits=smashed_bits,
        client_parameter_bits=_parameter_bits(chain, n_segments),
    )


def _parameter_bits(chain: Chain, n_segments: int) -> float:
    trained = (p for p in chain.client_side(n_segments).parameters() if p.requires_grad)
    return float(sum(BITS_PER_BYTE * p.element_size() * p.numel() for p in trained))
