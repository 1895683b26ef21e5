"""Least power and downlink rate of a client under every subset of a few subchannels, for many clients at once.

While all subchannels of a subset are below the water level, both follow from three sums, which are one matrix product
for all subsets. Where one is not, the level is the least over the prefixes of the subset in ascending noise.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from epsl_opt.core.arrays import BoolArray, FloatArray, IntArray
from epsl_opt.solvers.local_search.problem import SearchProblem


@cache
def subsets(size: int) -> FloatArray:
    """Return all subsets of `size` things as rows of 0 and 1, shape (2^size, size); row m holds the bits of m."""
    bits = (np.arange(2**size)[:, None] >> np.arange(size)) & 1
    found = bits.astype(np.float64)
    found.flags.writeable = False
    return found


def subset_powers(
    problem: SearchProblem, client: IntArray, subchannels: IntArray, kept: BoolArray, rate: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return each client's least power in watts and its downlink rate in bit/s, shapes (clients, subsets).

    Parameters
    ----------
    problem, client
        Which clients, shape (clients,).
    subchannels
        First those whose subsets are meant, then others, shape (clients, columns).
    kept
        For the others, whether the client holds it in any case, shape (clients, columns - size of the pool).
    rate
        Rate in nat/s that each client needs, shape (clients,).
    """
    size = subchannels.shape[1] - kept.shape[1]
    pool, rest = (client[:, None], subchannels[:, :size]), (client[:, None], subchannels[:, size:])
    noise, log_noise = problem.noise[client[:, None], subchannels], problem.log_noise[client[:, None], subchannels]
    width = problem.bandwidth_hz[subchannels]
    width[:, size:] *= kept
    columns = np.stack([width, width * log_noise, width * noise], axis=1)
    sums = columns[:, :, :size] @ subsets(size).T + columns[:, :, size:].sum(axis=2)[:, :, None]
    bandwidth, filled_log, filled = sums[:, 0], sums[:, 1], sums[:, 2]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        log_level = (rate[:, None] + filled_log) / bandwidth
        power = np.maximum(bandwidth * np.exp(log_level) - filled, 0.0)
    worst = _worst(log_noise[:, :size], np.where(kept, log_noise[:, size:], -np.inf).max(axis=1, initial=-np.inf))
    row, subset = np.nonzero((log_level < worst) & (bandwidth > 0))
    if len(row):
        held = np.concatenate([subsets(size)[subset], kept[row]], axis=1)
        power[row, subset] = _partly_filled(held, width, noise, log_noise, row, rate)
    power = np.where(bandwidth > 0, power, np.where(rate[:, None] > 0, np.inf, 0.0))
    fixed_bps = np.where(kept, problem.downlink_bps[rest], 0.0).sum(axis=1)
    return power, problem.downlink_bps[pool] @ subsets(size).T + fixed_bps[:, None]


def _worst(log_noise: FloatArray, kept: FloatArray) -> FloatArray:
    """The largest of `log_noise` in each subset and of `kept`, shape (clients, subsets)."""
    found = kept[:, None]
    for column in log_noise.T:
        found = np.concatenate([found, np.maximum(found, column[:, None])], axis=1)
    return found


def _partly_filled(
    held: FloatArray, width: FloatArray, noise: FloatArray, log_noise: FloatArray, row: IntArray, rate: FloatArray
) -> FloatArray:
    """Least power where not all that is held lies below the level: the best prefix in ascending noise."""
    order = np.argsort(log_noise, axis=1)
    width, noise, log_noise = (np.take_along_axis(values, order, axis=1) for values in (width, noise, log_noise))
    held = np.take_along_axis(held, order[row], axis=1)
    bandwidth = (held * width[row]).cumsum(axis=1)
    filled_log = (held * (width * log_noise)[row]).cumsum(axis=1)
    filled = (held * (width * noise)[row]).cumsum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_level = np.where(bandwidth > 0, (rate[row, None] + filled_log) / bandwidth, np.inf)
    first, last = np.arange(len(row)), log_level.argmin(axis=1)
    here = (first, last)
    with np.errstate(over="ignore"):
        power: FloatArray = np.maximum(bandwidth[here] * np.exp(log_level[here]) - filled[here], 0.0)
    return power
