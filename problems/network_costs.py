"""Counts the cost of a network's layers for one sample, and sums them up into a model profile.

Convention: one multiply-add is two FLOPs. Convolutions, linear layers and matrix products count; elementwise
operations, normalisation, pooling and look-ups do not. A backward pass costs twice the forward pass (one product for
the gradient of the weights, one for that of the input), but once where the input is the data itself. Activations,
gradients and parameters are 32-bit floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from epsl_opt.core.instance import CutLayer, ModelProfile

BITS_PER_NUMBER = 32
FLOPS_PER_MULTIPLY_ADD = 2

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """Cost of a part of a network for one sample.

    Parameters
    ----------
    output
        Shape of the one tensor that leaves the part, without the batch.
    forward, backward
        Multiply-adds.
    parameters
        Trained numbers.
    """

    output: Shape
    forward: int = 0
    backward: int = 0
    parameters: int = 0

    def then(self, other: Cost) -> Cost:
        """Return the cost of this part followed by `other`, whose output is what leaves."""
        return Cost(
            other.output,
            self.forward + other.forward,
            self.backward + other.backward,
            self.parameters + other.parameters,
        )


@dataclass(frozen=True)
class Layer:
    """A part of a network after which it can be cut."""

    name: str
    cost: Cost


def trained(output: Shape, multiply_adds: int, parameters: int, reads_data: bool = False) -> Cost:
    """Return the cost of an operation with weights; one that reads the data needs no gradient of its input."""
    return Cost(output, multiply_adds, multiply_adds * (1 if reads_data else 2), parameters)


def convolution(
    given: Shape,
    channels: int,
    kernel: int,
    *,
    stride: int = 1,
    padding: int | None = None,
    groups: int = 1,
    normalised: bool = False,
    reads_data: bool = False,
) -> Cost:
    """Return the cost of a square 2-D convolution, with batch normalisation instead of a bias if `normalised`."""
    padding = kernel // 2 if padding is None else padding
    height, width = ((side + 2 * padding - kernel) // stride + 1 for side in given[1:])
    weights = channels * given[0] // groups * kernel**2
    extra = 2 * channels if normalised else channels
    return trained((channels, height, width), height * width * weights, weights + extra, reads_data)


def linear(given: Shape, features: int, reads_data: bool = False) -> Cost:
    """Return the cost of a linear layer with bias on the last axis."""
    weights = given[-1] * features
    return trained((*given[:-1], features), prod(given[:-1]) * weights, weights + features, reads_data)


def matrix_product(output: Shape, inner: int) -> Cost:
    """Return the cost of a product of two activations, `inner` being the length of the axis summed over."""
    return trained(output, prod(output) * inner, 0)


def profile(name: str, layers: Sequence[Layer]) -> ModelProfile:
    """Return the profile of a chain of layers: one cut after each but the last, which stays with the server."""
    totals = list(accumulate((layer.cost for layer in layers), Cost.then))
    cuts = (_cut_layer(layer.name, total) for layer, total in zip(layers[:-1], totals[:-1], strict=True))
    return ModelProfile(
        name=name,
        total_forward_flops=_flops(totals[-1].forward),
        total_backward_flops=_flops(totals[-1].backward),
        last_layer_backward_flops=_flops(layers[-1].cost.backward),
        total_parameter_bits=_bits(totals[-1].parameters),
        cut_layers=tuple(cuts),
    )


def _cut_layer(name: str, client_side: Cost) -> CutLayer:
    smashed_bits = _bits(prod(client_side.output))
    return CutLayer(
        name=name,
        client_forward_flops=_flops(client_side.forward),
        client_backward_flops=_flops(client_side.backward),
        activation_bits=smashed_bits,
        gradient_bits=smashed_bits,
        client_parameter_bits=_bits(client_side.parameters),
    )


def _flops(multiply_adds: int) -> float:
    return float(FLOPS_PER_MULTIPLY_ADD * multiply_adds)


def _bits(numbers: int) -> float:
    return float(BITS_PER_NUMBER * numbers)
