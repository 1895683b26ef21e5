"""The generators that a network may draw random numbers from: PyTorch's, Python's and numpy's."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

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
    with torch.random.fork_rng(devices=[device] if device is not None and device.type == "cuda" else []):
        stand = Generators()
        try:
            yield
        finally:
            stand.go_back()


class Generators:
    """Where the generators of this process stand."""

    def __init__(self) -> None:
        self._torch, self._python = torch.get_rng_state(), random.getstate()
        self._numpy = np.random.get_state(legacy=False)  # noqa: NPY002

    def go_back(self) -> None:
        """Let all go on from there."""
        torch.set_rng_state(self._torch)
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002

    def drawn_from(self) -> list[str]:
        """Return whose generators were drawn from since."""
        now = Generators()
        same = {
            "PyTorch": torch.equal(now._torch, self._torch),
            "Python": now._python == self._python,
            "numpy": now._numpy["state"]["pos"] == self._numpy["state"]["pos"]
            and np.array_equal(now._numpy["state"]["key"], self._numpy["state"]["key"]),
        }
        return [name for name, equal in same.items() if not equal]
