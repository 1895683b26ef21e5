"""Telling a network that does another thing each time from one whose operations only round otherwise.

The same operations may round otherwise the next time: another number of threads sums in another order. In float32 a
deep network can make hundreds of units in the last place of that, gradients of normalisations above all. In float64 it
makes a millionth of what float32 rounds, so that whatever exceeds float32's rounding there is no rounding.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.findings import GRADIENT, Found
from epsl_opt.backends.pytorch.module_state import load, tensors
from epsl_opt.backends.pytorch.randomness import seed_generators
from epsl_opt.backends.pytorch.trial_inputs import Inputs

OTHER_PASSES = 3


class Spare:
    """A copy of a network as it is now, to be tried in float64 if it comes to that."""

    def __init__(self, network: nn.Module, inputs: Inputs) -> None:
        self._network, self._inputs = copy.deepcopy(network), inputs

    def is_steady(self) -> bool:
        """Whether passes of the copy in float64, with other passes between, are the same up to float32's rounding.

        False if it can't be run in float64.
        """
        try:
            self._network.double()
            begin = {name: value.clone() for name, value in self._network.state_dict().items()}
            first = self._passed(begin, seed=0)
            for seed in range(1, 1 + OTHER_PASSES):
                self._passed(begin, seed)
            again = self._passed(begin, seed=0)
        except Exception:
            return False
        return all(_the_same(value, again.get(key)) for key, value in first.items())

    def _passed(self, begin: dict[str, Tensor], seed: int) -> Found:
        """Output, gradients and buffers of a pass in training from the same weights."""
        load(self._network, begin)
        self._network.zero_grad(set_to_none=True)
        x = self._inputs.batch(2 + seed, seed)
        seed_generators(seed)
        output = self._network.train()(x.double() if x.is_floating_point() else x)
        weight = torch.randn(output.shape, generator=torch.Generator().manual_seed(seed)).to(output.dtype)
        output.backward(weight)
        found: Found = {"the output": output.detach()}
        for name, tensor in tensors(self._network).items():
            if isinstance(tensor, nn.Parameter):
                found[f"{GRADIENT}{name}"] = None if tensor.grad is None else tensor.grad.clone()
            else:
                found[name] = tensor.detach().clone()
        return found


def _the_same(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    largest = float(one.abs().max()) if one.numel() and one.is_floating_point() else 0.0
    tolerance = torch.finfo(torch.float32).eps * largest
    return torch.allclose(one, other, rtol=0.0, atol=tolerance, equal_nan=True)
