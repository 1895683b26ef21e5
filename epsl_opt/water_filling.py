"""The largest rate of one client that has a set of subchannels to itself, in closed form."""

from __future__ import annotations

import math

import numpy as np

from epsl_opt.arrays import FloatArray


def max_rate_bps(noise_w_per_hz: FloatArray, bandwidth_hz: FloatArray, power_w: FloatArray) -> FloatArray:
    """Return each client's rate when it spreads its power over all subchannels as well as can be (water-filling).

    With noise n_k = sigma^2 / G_k in W/Hz, the best powers fill every subchannel up to one water level w:
    p_k = B_k max(w - n_k, 0), which carries sum_k B_k log2(w / n_k) over the subchannels with n_k < w.

    Parameters
    ----------
    noise_w_per_hz
        n_k as each client's transmitter sees it, inf where the gain is zero, shape (clients, subchannels).
    bandwidth_hz
        B_k, shape (subchannels,).
    power_w
        Total power of each client, shape (clients,).

    Returns
    -------
    FloatArray
        Rates in bit/s, shape (clients,); 0 for a client without usable subchannels.
    """
    order = np.argsort(noise_w_per_hz, axis=1)
    noise = np.take_along_axis(noise_w_per_hz, order, axis=1)
    best, usable = noise[:, :1], np.isfinite(noise)
    bandwidth = np.where(usable, bandwidth_hz[order], 0.0)
    # Noise and water level are both measured against the best subchannel, so that no digits are lost at low SNR.
    with np.errstate(invalid="ignore", over="ignore"):
        excess = np.where(usable, (noise - best) / best, 0.0)
    level = _relative_level(excess, bandwidth, power_w[:, None] / best)
    nats = np.maximum(np.log1p(level) - np.log1p(excess), 0.0)
    rates: FloatArray = (bandwidth * nats).sum(axis=1) / math.log(2)
    return rates


def _relative_level(excess: FloatArray, bandwidth: FloatArray, budget_hz: FloatArray) -> FloatArray:
    """Return w / n_1 - 1, shape (clients, 1); column k of `levels` is right if just the first k + 1 are active."""
    width = bandwidth.cumsum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        levels = np.where(width > 0, (budget_hz + (bandwidth * excess).cumsum(axis=1)) / width, 0.0)
    active = (bandwidth > 0) & (excess < levels)
    last = np.maximum(active.sum(axis=1, keepdims=True) - 1, 0)
    return np.take_along_axis(levels, last, axis=1)
