"""A seeded generator of classification tasks of any size and difficulty."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.samples import Samples, normalised
from epsl_opt.backends.datasets.split import split
from epsl_opt.backends.datasets.streams import Concern, stream
from epsl_opt.backends.datasets.task import SplitOptions, Task
from epsl_opt.core.arrays import FloatArray

COARSE = 4
MAX_NUMBERS = 2**29


class SyntheticOptions(SplitOptions):
    """What to draw."""

    classes: int = Field(default=10, ge=2, le=1000, description="equally frequent")
    samples: int = Field(default=2000, ge=4, le=10_000_000, description="to train on and to test with, together")
    size: int = Field(default=8, ge=1, le=1024, description="side of the square images in pixels")
    channels: int = Field(default=1, ge=1, le=1024, description="of the images")
    features: int = Field(default=0, ge=0, le=1_000_000, description="plain features instead of images, 0: images")
    patterns: int = Field(default=1, ge=1, le=1000, description="of each class; more make it less linear")
    difficulty: float = Field(
        default=0.3, ge=0, le=10, description="noise, in halves of the distance between two patterns; 0: none"
    )

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        """Every class has samples on both sides, patterns can differ, and all fits into memory."""
        if self.samples < 2 * self.classes:
            raise ValueError(f"samples: must be at least 2 a class, got {self.samples} for {self.classes} classes")
        if self.numbers_per_sample < 2:
            raise ValueError("size: must leave a sample at least 2 numbers")
        numbers = max(self.samples, self.classes * self.patterns) * self.numbers_per_sample
        if numbers > MAX_NUMBERS:
            raise ValueError(f"samples: would take {numbers} numbers, at most {MAX_NUMBERS} can be drawn")
        return self

    @property
    def numbers_per_sample(self) -> int:
        """Features, or pixels times channels."""
        return self.features or self.channels * self.size**2


def load(options: SyntheticOptions, seed: int) -> Dataset:
    """Draw the patterns of each class, a pattern for each sample, and white noise on top.

    The noise has the standard deviation difficulty * d / 2 along the line between two patterns, where d is the
    distance of unrelated patterns: a difficulty of 1 puts the middle between them one standard deviation away.
    """
    rng = stream(options.seed_or(seed), Concern.SYNTHETIC)
    patterns = _unit_power(_features(options, rng) if options.features else _images(options, rng))
    labels = np.arange(options.samples) % options.classes
    chosen = labels * options.patterns + rng.integers(options.patterns, size=options.samples)
    # Unrelated patterns of norm sqrt(n) are sqrt(2 n) apart.
    noise = options.difficulty * np.sqrt(options.numbers_per_sample / 2)
    x = rng.standard_normal((options.samples, *patterns.shape[1:]), dtype=np.float32) * np.float32(noise)
    x += patterns.astype(np.float32)[chosen]
    data = Samples(x, labels)
    train, test = split(labels, options.test_fraction, options.seed_or(seed))
    return normalised("synthetic", data.take(train), data.take(test), tuple(map(str, range(options.classes))))


def _unit_power(patterns: FloatArray) -> FloatArray:
    """Scale every pattern to a mean square of 1."""
    axes = tuple(range(1, patterns.ndim))
    scaled: FloatArray = patterns / np.sqrt(np.square(patterns).mean(axis=axes, keepdims=True))
    return scaled


def _features(options: SyntheticOptions, rng: np.random.Generator) -> FloatArray:
    return rng.standard_normal((options.classes * options.patterns, options.features))


def _images(options: SyntheticOptions, rng: np.random.Generator) -> FloatArray:
    """Patterns of a few grey blots, so that neighbouring pixels are alike, as in a photograph."""
    coarse = rng.standard_normal((options.classes * options.patterns, options.channels, COARSE, COARSE))
    stretch = _interpolation(options.size)
    patterns: FloatArray = stretch @ coarse @ stretch.T
    return patterns


def _interpolation(size: int) -> FloatArray:
    """Return the matrix that stretches COARSE points to `size` linearly, shape (size, COARSE)."""
    at = np.linspace(0, COARSE - 1, size)
    return np.array([np.interp(at, np.arange(COARSE), row) for row in np.eye(COARSE)]).T


SYNTHETIC = Task(
    "synthetic",
    "blots or features drawn by seed, as many and as hard to tell apart as asked for",
    SyntheticOptions,
    load,
)
