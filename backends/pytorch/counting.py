"""FLOPs counted by PyTorch, where its counter errs or does not see them put right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count


def flop_counter() -> FlopCounterMode:
    """Return a context that counts FLOPs, one multiply-add being two."""
    return FlopCounterMode(display=False, custom_mapping={torch.ops.aten.convolution_backward: _convolution_backward})


def _convolution_backward(
    gradient: Sequence[int],
    given: Sequence[int],
    weight: Sequence[int],
    _bias: Any,
    _stride: Any,
    _padding: Any,
    _dilation: Any,
    transposed: bool,
    _output_padding: Any,
    _groups: int,
    wanted: Sequence[bool],
    **_kwargs: Any,
) -> int:
    """Return the FLOPs of a convolution's backward pass; PyTorch's own formula forgets the groups.

    The gradient of the input and that of the weights take the forward pass's products each.
    """
    forward = conv_flop_count(list(given), list(weight), list(gradient), transposed)
    return (int(wanted[0]) + int(wanted[1])) * forward


@contextmanager
def countable_kernels() -> Iterator[None]:
    """Keep PyTorch from fused kernels, which count otherwise (attention) or not at all (recurrent layers)."""
    mkldnn: Any = torch.backends.mkldnn
    before = mkldnn.enabled
    mkldnn.enabled = False
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        mkldnn.enabled = before
