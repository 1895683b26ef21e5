"""A labelled data set in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epsl_opt.core.arrays import IntArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples to train on and samples to test with.

    Parameters
    ----------
    name
        What was loaded.
    train_x, test_x
        float32, shape (samples, channels, height, width) or (samples, features), scaled to about zero mean and unit
        variance by numbers taken from the training samples alone.
    train_y, test_y
        Class of each sample, shape (samples,), from 0.
    classes
        Names of the classes.
    """

    name: str
    train_x: NDArray[np.float32]
    train_y: IntArray
    test_x: NDArray[np.float32]
    test_y: IntArray
    classes: tuple[str, ...]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.train_x.shape[1:])

    @property
    def majority_rate(self) -> float:
        """The accuracy of always answering with the most frequent test label."""
        return float(np.bincount(self.test_y).max() / len(self.test_y))
