"""Large-scale channel at 28 GHz: close-in free-space reference model, line of sight, shadowing.

Samimi, Rappaport, MacCartney, "Probabilistic omnidirectional path loss models for millimeter-wave outdoor
communications", IEEE Wireless Communications Letters, 2015; the paper's scenario uses it.
"""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
REFERENCE_DISTANCE_M = 1.0

LOS_EXPONENT, NLOS_EXPONENT = 2.1, 3.4
LOS_SHADOWING_DB, NLOS_SHADOWING_DB = 3.6, 9.7
LOS_NEAR_M, LOS_DECAY_M = 27.0, 71.0


def free_space_path_loss_db(frequency_hz: FloatArray) -> FloatArray:
    """Return 20 log10(4 pi F / c), the free-space loss at 1 m."""
    return 20.0 * np.log10(4.0 * math.pi * frequency_hz * REFERENCE_DISTANCE_M / SPEED_OF_LIGHT_M_PER_S)


def line_of_sight_probability(distance_m: FloatArray) -> FloatArray:
    """Return [min(27/d, 1) (1 - exp(-d/71)) + exp(-d/71)]^2 for distances greater than 0."""
    decay = np.exp(-distance_m / LOS_DECAY_M)
    return (np.minimum(LOS_NEAR_M / distance_m, 1.0) * (1.0 - decay) + decay) ** 2


def mean_path_loss_db(distance_m: FloatArray, line_of_sight: BoolArray, frequency_hz: FloatArray) -> FloatArray:
    """Return FSPL(1 m, F_k) + 10 n log10(d_i), n = 2.1 (line of sight) or 3.4 (none).

    Parameters
    ----------
    distance_m, line_of_sight
        Shape (clients,); the model holds from 1 m on.
    frequency_hz
        Shape (subchannels,).

    Returns
    -------
    FloatArray
        Shape (clients, subchannels).
    """
    exponent = np.where(line_of_sight, LOS_EXPONENT, NLOS_EXPONENT)
    over_distance = 10.0 * exponent * np.log10(distance_m / REFERENCE_DISTANCE_M)
    return free_space_path_loss_db(frequency_hz)[np.newaxis, :] + over_distance[:, np.newaxis]


def shadowing_deviation_db(line_of_sight: BoolArray) -> FloatArray:
    """Return the standard deviation of the shadowing, 3.6 dB in line of sight and 9.7 dB out of it."""
    return np.where(line_of_sight, LOS_SHADOWING_DB, NLOS_SHADOWING_DB)
