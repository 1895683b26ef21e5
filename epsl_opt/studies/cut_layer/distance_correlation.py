"""Distance correlation: how far two sets of vectors depend on each other, whatever the dependence looks like."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from epsl_opt.core.arrays import FloatArray


def distance_correlation(x: FloatArray, y: FloatArray) -> float:
    """Return the bias-corrected squared distance correlation of paired samples.

    0 is expected of independent samples, in any dimension and of any number (single values may be slightly negative);
    1 means that one is the other, up to a shift, a scale, a rotation.

    Parameters
    ----------
    x, y
        Shapes (samples, ...), at least four samples; the other axes are flattened.

    Raises
    ------
    ValueError
        If the numbers of samples differ or are below four.

    Notes
    -----
    Distance correlation is of Székely, Rizzo, Bakirov, Annals of Statistics 35(6), 2007. Their estimate is biased, in
    high dimension towards 1; this one takes U-centred distances (Székely, Rizzo, Annals of Statistics 42(6), 2014).
    """
    if len(x) != len(y) or len(x) < 4:
        raise ValueError(f"takes at least four pairs of samples, got {len(x)} and {len(y)}")
    a, b = u_centred_distances(x), u_centred_distances(y)
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def u_centred_distances(x: FloatArray) -> FloatArray:
    """Return the Euclidean distances between samples, less row and column means so that independence averages to 0.

    The diagonal is 0, and so is the sum of every row; shape (samples, samples).
    """
    flat = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    n, distances = len(flat), cdist(flat, flat)
    rows = distances.sum(axis=1) / (n - 2)
    centred: FloatArray = distances - rows[:, None] - rows[None, :] + distances.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0.0)
    return centred
