"""What two passes of a network gave, and whether it is the same up to rounding."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

Found = dict[str, Tensor | None]
"""Output, gradients and buffers after a pass, by what messages call them."""

GRADIENT = "the gradient of "
ROUNDING = 64
"""How many units in the last place, of the largest number, two results of the same operations may differ."""


def differing(one: Found, other: Found) -> Iterator[str]:
    """Yield what is another in two passes.

    A gradient that is zero but for rounding, as that of a bias in front of a normalisation, may round otherwise.
    """
    noise = ROUNDING * max((_rounding(value) for key, value in one.items() if GRADIENT in key), default=0.0)
    for key, value in one.items():
        if not alike(value, other.get(key), noise if GRADIENT in key else 0.0):
            yield key


def alike(a: Tensor | None, b: Tensor | None, noise: float = 0.0) -> bool:
    """Return whether two tensors, or their absence, are the same up to the rounding of equal operations.

    Values of at most `noise` are nothing but rounding.
    """
    if a is None or b is None:
        return a is b
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if torch.equal(a, b) or not a.is_floating_point():
        return torch.equal(a, b)
    if _largest(a) <= noise and _largest(b) <= noise and bool(a.isfinite().all() & b.isfinite().all()):
        return True
    return torch.allclose(a, b, rtol=0.0, atol=ROUNDING * _rounding(a), equal_nan=True)


def _rounding(tensor: Tensor | None) -> float:
    """Return a unit in the last place of a tensor's largest number."""
    if tensor is None or not tensor.is_floating_point():
        return 0.0
    return torch.finfo(tensor.dtype).eps * _largest(tensor)


def _largest(tensor: Tensor) -> float:
    return float(tensor.abs().nan_to_num(0.0, 0.0, 0.0).max()) if tensor.numel() else 0.0
