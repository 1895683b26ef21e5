"""Small-scale fading: a random power gain of mean 1 per client and subchannel, constant over a round."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.problems.streams import Concern, stream
from epsl_opt.problems.units import db_to_linear


class Fading(StrEnum):
    """Which small-scale fading is drawn."""

    NONE = "none"
    """Gain 1 everywhere, as in the paper."""
    RAYLEIGH = "rayleigh"
    """Scattered paths only."""
    RICIAN = "rician"
    """One path of constant power beside the scattered ones."""


def power_gains(
    kind: Fading, rician_k_db: float, shape: tuple[int, int], seed: int, concern: Concern, round_number: int = 0
) -> FloatArray:
    """Draw |h_ik|^2 with E|h|^2 = 1, h = sqrt(K/(K+1)) + CN(0, 1/(K+1)).

    Parameters
    ----------
    kind
        `rayleigh` is K = 0; `none` gives ones.
    rician_k_db
        K in dB, read for `rician` only.
    shape
        (clients, subchannels). More of either leaves the gains of the first ones as they are.
    seed, concern, round_number
        Which stream; rounds are independent.
    """
    if kind is Fading.NONE:
        return np.ones(shape)
    k_factor = db_to_linear(rician_k_db) if kind is Fading.RICIAN else 0.0
    streams = (stream(seed, concern, i, round_number) for i in range(shape[0]))
    parts = np.array([drawn.standard_normal((shape[1], 2)) for drawn in streams])
    scattered = parts * math.sqrt(0.5 / (k_factor + 1.0))
    direct = math.sqrt(k_factor / (k_factor + 1.0))
    return (direct + scattered[:, :, 0]) ** 2 + scattered[:, :, 1] ** 2
