"""One random stream per concern, so that, say, another partition leaves the test samples as they are."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Concern(IntEnum):
    """What a stream is for; the numbers decide what a seed means and never change."""

    SPLIT = 1
    PARTITION = 2
    SYNTHETIC = 3


def stream(seed: int, concern: Concern) -> np.random.Generator:
    """Return the stream of one concern, independent of all others of this seed (not negative)."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(concern),)))
