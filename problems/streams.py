"""One random stream per concern, so that turning one knob leaves everything else as it was drawn."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Concern(IntEnum):
    """What a stream is for; the numbers are part of every generated instance and never change."""

    POSITION = 1
    LINE_OF_SIGHT = 2
    SHADOWING = 3
    COMPUTE = 4
    SAMPLES = 5
    UPLINK_FADING = 6
    DOWNLINK_FADING = 7
    BANDWIDTH = 8
    MOTION = 9
    SHADOWING_CHANGE = 10
    SIGHT_CHANGE = 11


def stream(seed: int, concern: Concern, entity: int = 0, round_number: int = 0) -> np.random.Generator:
    """Return the stream of one concern of one entity (a client, say), independent of all others of this seed.

    What is drawn anew each round has a stream for each; that of round 0 is the stream of what is drawn once.
    """
    key = (int(concern), entity, round_number) if round_number else (int(concern), entity)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def uniforms(seed: int, concern: Concern, entities: int) -> NDArray[np.float64]:
    """Draw one number in [0, 1) per entity, each from its own stream, so that more entities change no earlier one."""
    return np.array([stream(seed, concern, i).random() for i in range(entities)])


def normals(seed: int, concern: Concern, entities: int) -> NDArray[np.float64]:
    """Draw one standard normal number per entity, each from its own stream."""
    return np.array([stream(seed, concern, i).standard_normal() for i in range(entities)])
