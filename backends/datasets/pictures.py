"""Reading image files with Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epsl_opt.backends.datasets.task import require
from epsl_opt.errors import InputError

SUFFIXES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"))


def read_pictures(paths: Sequence[Path], size: int, grey: bool, task: str) -> NDArray[np.uint8]:
    """Read images and shrink or stretch them to a square.

    Parameters
    ----------
    paths
        Files of any format in `SUFFIXES`.
    size
        Side of the square in pixels.
    grey
        Whether to read one channel of luminance instead of three colours.
    task
        Who asks, for errors.

    Returns
    -------
    NDArray
        Shape (files, channels, size, size).

    Raises
    ------
    InputError
        If a file is missing or no image, or Pillow is not installed.
    """
    image = require("PIL.Image", "pillow", task)
    pixels = np.empty((len(paths), 1 if grey else 3, size, size), dtype=np.uint8)
    for i, path in enumerate(paths):
        try:
            with image.open(path) as file:
                # A JPEG can be decoded at a fraction of its size, which is several times faster.
                file.draft(None, (2 * size, 2 * size))
                picture = file.convert("L" if grey else "RGB").resize((size, size), image.Resampling.BILINEAR)
        except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
            problem = error.strerror if isinstance(error, OSError) and error.strerror else f"is no image: {error}"
            raise InputError(str(path), problem) from error
        pixels[i] = np.asarray(picture).reshape(size, size, -1).transpose(2, 0, 1)
    return pixels
