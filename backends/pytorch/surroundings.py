"""Blocks within which the same operations do something else: without gradients, in another precision."""

from __future__ import annotations

from collections.abc import Mapping

import torch

_DEVICES = ("cpu", "cuda")


def surroundings() -> dict[str, object]:
    """Return what surrounds the code that runs now, by how a message names it."""
    autocast = [(torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)) for device in _DEVICES]
    return {
        "without gradients (torch.no_grad and the like)": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "in another precision (torch.autocast)": [dtype if enabled else None for enabled, dtype in autocast],
    }


def what_differs(outside: Mapping[str, object], inside: Mapping[str, object]) -> str | None:
    """Return how a block is called that has these surroundings in others, None if it is none."""
    return next((name for name, value in inside.items() if value != outside[name]), None)
