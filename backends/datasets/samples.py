"""From raw samples to a `Dataset`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.errors import InputError

ROWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled samples as they were read.

    Parameters
    ----------
    x
        uint8 or float32, shape (samples, channels, height, width) or (samples, features).
    y
        Class of each sample, shape (samples,), from 0.
    """

    x: NDArray[np.uint8 | np.float32]
    y: IntArray

    def take(self, indices: IntArray) -> Samples:
        """Return some of the samples."""
        return Samples(self.x[indices], self.y[indices])


def normalised(name: str, train: Samples, test: Samples, classes: tuple[str, ...]) -> Dataset:
    """Scale all samples by the mean and the standard deviation of the training samples, channel by channel.

    A channel that never varies is only shifted.

    Raises
    ------
    InputError
        If there is nothing to train on or nothing to test with.
    """
    if not len(train.y) or not len(test.y):
        raise InputError(f"task {name}", f"leaves {len(train.y)} training and {len(test.y)} test samples")
    mean, deviation = moments(train.x)
    return Dataset(
        name=name,
        train_x=_scaled(train.x, mean, deviation),
        train_y=train.y,
        test_x=_scaled(test.x, mean, deviation),
        test_y=test.y,
        classes=classes,
    )


def moments(x: NDArray[np.uint8 | np.float32]) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation of each channel (axis 1), shape (channels,) each, without a float copy."""
    axes = (0, *range(2, x.ndim))
    # Near the mean already, so that little is lost when its square is taken off.
    offset = x[0].reshape(x.shape[1], -1).mean(axis=1, dtype=np.float64).reshape(-1, *(1 for _ in x.shape[2:]))
    total, squares = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for start in range(0, len(x), ROWS_AT_ONCE):
        rows = x[start : start + ROWS_AT_ONCE] - offset
        total += rows.sum(axis=axes)
        squares += np.square(rows, out=rows).sum(axis=axes)
    count = x.size / x.shape[1]
    variance = np.maximum(squares / count - np.square(total / count), 0.0)
    return offset.ravel() + total / count, np.sqrt(variance)


def _scaled(x: NDArray[np.uint8 | np.float32], mean: FloatArray, deviation: FloatArray) -> NDArray[np.float32]:
    shape = (-1, *(1 for _ in x.shape[2:]))
    scale = np.where(deviation > 0, deviation, 1.0)
    scaled: NDArray[np.float32] = x.astype(np.float32)
    scaled -= mean.astype(np.float32).reshape(shape)
    scaled /= scale.astype(np.float32).reshape(shape)
    return scaled
