"""What a network costs per sample, counted by PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.counting import flop_counter
from epsl_opt.backends.pytorch.dry_run import on_copy
from epsl_opt.instance import CutLayer, ModelProfile

BATCH = 2
"""Batch normalisation needs more than one sample to train."""

BITS_PER_BYTE = 8


@dataclass(frozen=True)
class SegmentCost:
    """Cost of a segment for one sample; `output_bits` is the size of the tensor it passes on."""

    forward_flops: float
    backward_flops: float
    output_bits: float


def profile_chain(chain: Chain, input_shape: tuple[int, ...]) -> ModelProfile:
    """Count the costs of a network at each cut, as `problems.network_costs` does: one multiply-add is two FLOPs.

    The backward pass is a real one; it gives the gradients of the trained parameters, and that of a segment's input
    where a parameter before it is trained. Frozen parameters are never sent, and do not count as bits.

    Raises
    ------
    InputError
        If the network does not take such an input.
    """
    costs = segment_costs(chain, input_shape)
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
    return on_copy(chain.name, chain.client_side(len(chain.segments)), torch.zeros(BATCH, *input_shape), _count)


def _count(segments: nn.Module, x: Tensor) -> list[SegmentCost]:
    costs = []
    for segment in segments.train().children():
        with flop_counter() as forward:
            output = segment(x)
        with flop_counter() as backward:
            if output.requires_grad:
                output.sum().backward()
        bits = BITS_PER_BYTE * output.element_size() * output.numel()
        flops = forward.get_total_flops(), backward.get_total_flops()
        costs.append(SegmentCost(flops[0] / BATCH, flops[1] / BATCH, bits / BATCH))
        x = output.detach().requires_grad_(output.requires_grad)
    return costs


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
