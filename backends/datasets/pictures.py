"""Reading image files with Pillow."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epsl_opt.backends.datasets.task import require
from epsl_opt.backends.datasets.viewing import UnclearBrightnessError, as_shown
from epsl_opt.core.errors import InputError

NOT_READ = frozenset(("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"))
"""Formats that Pillow opens but can't decode by itself, or decodes by running the file as a program (EPS)."""


def read_pictures(paths: Sequence[Path], size: int, grey: bool, task: str) -> NDArray[np.uint8]:
    """Read images as a viewer shows them and shrink or stretch them to a square.

    Parameters
    ----------
    paths
        Files of any format that `suffixes` knows; the content decides, not the name.
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
        If a file is missing, damaged or no image, or Pillow is not installed.
    """
    require("PIL.Image", "pillow", task)
    pixels = np.empty((len(paths), 1 if grey else 3, size, size), dtype=np.uint8)
    for i, path in enumerate(paths):
        pixels[i] = read_picture(path, size, grey)
    return pixels


def read_picture(path: Path, size: int, grey: bool) -> NDArray[np.uint8]:
    """Read one image, shape (channels, size, size); see `read_pictures`.

    Raises
    ------
    InputError
        Naming the file, if it is missing, damaged or no image.
    """
    try:
        return _read(path, size, grey)
    except UnclearBrightnessError as error:
        raise InputError(str(path), str(error)) from error
    except Exception as error:  # Pillow raises errors of any kind on damaged files
        problem = error.strerror if isinstance(error, OSError) and error.strerror else f"is no image: {_said(error)}"
        raise InputError(str(path), problem) from error


def suffixes(task: str) -> dict[str, str]:
    """Return the lower-case suffixes of what the installed Pillow reads, with their formats.

    Raises
    ------
    InputError
        If Pillow is not installed.
    """
    image = require("PIL.Image", "pillow", task)
    readable = {*_formats(), "MPO"}  # which the reader of JPEG reads
    return {suffix: kind for suffix, kind in image.registered_extensions().items() if kind in readable}


@cache
def _formats() -> tuple[str, ...]:
    image = require("PIL.Image", "pillow", "images")
    image.init()
    return tuple(kind for kind in image.ID if kind not in NOT_READ)


def _read(path: Path, size: int, grey: bool) -> NDArray[np.uint8]:
    image = require("PIL.Image", "pillow", "images")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of notes in the file that are damaged; of size, where it is still accepted
        with image.open(path, formats=_formats()) as file:
            # A JPEG can be decoded at a fraction of its size, which is several times faster.
            file.draft(None, (2 * size, 2 * size))
            picture = as_shown(file, grey).resize((size, size), image.Resampling.BILINEAR)
    levels: NDArray[np.uint8] = np.asarray(picture).reshape(size, size, -1).transpose(2, 0, 1)
    return levels


def _said(error: Exception) -> str:
    return str(error).removesuffix(".") or type(error).__name__
