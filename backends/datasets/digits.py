"""The 8x8 digits that scikit-learn carries: 1797 real images, nothing to download."""

from __future__ import annotations

import numpy as np

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.task import SplitOptions, Task, require


def load(options: SplitOptions, seed: int) -> Dataset:
    """Load the digits.

    Raises
    ------
    InputError
        If scikit-learn is not installed.
    """
    found = require("sklearn.datasets", "scikit-learn", "digits").load_digits()
    data = Samples(found.images[:, np.newaxis].astype(np.float32), found.target.astype(np.intp))
    train, test = split(data.y, options.test_fraction, options.seed_or(seed))
    return normalised("digits", data.take(train), data.take(test), tuple(map(str, range(10))))


DIGITS = Task("digits", "1797 real 8x8 grey images of handwritten digits; comes with scikit-learn", SplitOptions, load)
