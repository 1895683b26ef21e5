"""Whole numbers in proportion."""

from __future__ import annotations

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray


def apportion(weights: FloatArray | IntArray, total: int) -> IntArray:
    """Share `total` out in proportion to `weights` by the largest remainder; each entry is within 1 of its quota.

    Parameters
    ----------
    weights
        Not negative, not all zero, shape (n,).

    Returns
    -------
    IntArray
        Shape (n,), the sum is `total`; of equal remainders the first wins.
    """
    quotas = np.asarray(weights).astype(np.float64)
    quotas /= quotas.max()
    quotas *= total / quotas.sum()
    whole: IntArray = np.floor(quotas).astype(np.intp)
    last = np.argsort(whole - quotas, kind="stable")[: total - int(whole.sum())]
    whole[last] += 1
    return whole
