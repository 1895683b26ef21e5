"""How long a network takes on this machine."""

from __future__ import annotations

import copy
import sys
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.profiling import segment_costs
from epsl_opt.plugins.backend import LayerTime, Measurement

WARM_UP = 1


def measure_chain(chain: Chain, input_shape: tuple[int, ...], batch_size: int, repeats: int = 5) -> Measurement:
    """Time each segment's forward and backward pass in training on the processor: the median of the repeats.

    The peak memory is that of the whole process so far, Python and PyTorch included; 0 where the system does not tell.

    Raises
    ------
    InputError
        If the network does not take such an input.
    """
    costs = segment_costs(chain, input_shape)
    segments = [copy.deepcopy(segment).train() for segment in chain.segments]
    with torch.random.fork_rng(devices=[]):
        batch = torch.randn(batch_size, *input_shape)
        runs = [_time(segments, batch) for _ in range(WARM_UP + repeats)][WARM_UP:]
    layers = (
        LayerTime(
            name=name,
            forward_s=median(run[0][i] for run in runs),
            backward_s=median(run[1][i] for run in runs),
            forward_flops=batch_size * cost.forward_flops,
            backward_flops=batch_size * cost.backward_flops,
        )
        for i, (name, cost) in enumerate(zip(chain.names, costs, strict=True))
    )
    return Measurement(tuple(layers), batch_size, peak_memory_bytes())


def _time(segments: list[nn.Module], batch: Tensor) -> tuple[list[float], list[float]]:
    """Return the seconds of each segment's forward and backward pass."""
    inputs, outputs, forward_s, backward_s = [batch], [], [], []
    for segment in segments:
        begin = perf_counter()
        output = segment(inputs[-1])
        forward_s.append(perf_counter() - begin)
        outputs.append(output)
        inputs.append(output.detach().requires_grad_(output.requires_grad))
    gradient: Tensor | None = torch.ones_like(outputs[-1])
    for segment, given, output in zip(reversed(segments), reversed(inputs[:-1]), reversed(outputs), strict=True):
        segment.zero_grad()
        begin = perf_counter()
        if output.requires_grad:
            output.backward(gradient)
        backward_s.append(perf_counter() - begin)
        gradient = given.grad
    return forward_s, backward_s[::-1]


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process so far; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    from resource import RUSAGE_SELF, getrusage

    # Only macOS counts in bytes.
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
