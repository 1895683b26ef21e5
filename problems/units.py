"""Decibels, which exist only where a user writes a number down; everything else is SI."""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.core.arrays import FloatArray


def db_to_linear(value_db: float) -> float:
    """Return 10^(value_db / 10)."""
    return math.pow(10.0, value_db / 10.0)


def dbs_to_linear(values_db: FloatArray) -> FloatArray:
    """Return 10^(value_db / 10) for an array of any shape."""
    return np.power(10.0, values_db / 10.0)


def dbm_to_w(power_dbm: float) -> float:
    """Return a power in watts (or a density in W/Hz, given dBm/Hz)."""
    return db_to_linear(power_dbm - 30.0)
