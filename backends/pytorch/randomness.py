"""The generators that a network may draw random numbers from: PyTorch's, Python's and numpy's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

_NUMPY_SEEDS = 2**32

OWN_GENERATORS = (torch.Generator, random.Random, np.random.Generator, np.random.RandomState)
"""Kinds of generators whose state is in no seed and no checkpoint."""


def seed_generators(seed: int) -> None:
    """Let whatever is random in networks follow from a seed."""
    torch.manual_seed(seed)
    random.seed(seed)
    # Networks that draw from numpy draw from this one.
    np.random.seed(seed % _NUMPY_SEEDS)  # noqa: NPY002


@contextmanager
def generators_restored(device: torch.device | None = None) -> Iterator[None]:
    """Let random numbers go on after the block as if nothing had been drawn in it."""
    devices = [device] if device is not None and device.type == "cuda" else []
    others = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(others[0])
            np.random.set_state(others[1])  # noqa: NPY002


def generator_states() -> dict[str, Any]:
    """Return where each generator stands, by its name in messages; equal if nothing was drawn in between."""
    numpy_state: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    return {
        "PyTorch": torch.get_rng_state().numpy().tobytes(),
        "Python": random.getstate(),
        "numpy": (numpy_state["state"]["key"].tobytes(), numpy_state["state"]["pos"]),
    }


def drawn_from(before: dict[str, Any]) -> list[str]:
    """Return the names of the generators that were drawn from since `generator_states` gave `before`."""
    return [name for name, state in generator_states().items() if state != before[name]]
