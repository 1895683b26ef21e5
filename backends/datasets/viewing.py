"""A picture as a viewer shows it: upright, flat, 8 bits a colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from epsl_opt.core.arrays import IntArray

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

ORIENTATION, BITS_PER_SAMPLE, PHOTOMETRIC = 0x0112, 258, 262
"""Tags of EXIF and TIFF."""

MIN_IS_WHITE = 0
BEYOND_THE_SCREEN = frozenset(("LAB", "YCbCr"))
"""Modes with colours that no screen shows: their grey is that of the colour shown."""

ALPHA_MODES = frozenset(("LA", "La", "PA", "RGBA", "RGBa"))
SIXTEEN_BITS = frozenset(("PNG", "PPM"))
"""Formats whose grey values Pillow brings to 16 bits, also where it keeps them in 32."""

GREY_STEP = {"L;2": 85, "L;4": 17}
"""By how much Pillow multiplies grey values of PNG files with fewer than 8 bits, but not their transparent value."""


class UnclearBrightnessError(ValueError):
    """Pixels whose numbers do not say what is black and what is white."""


def as_shown(image: ImageFile, grey: bool) -> Image:
    """Return the first frame of an opened picture as a viewer shows it.

    Transparency is laid on white, the orientation that a camera noted is applied, of more than 8 bits the upper 8 are
    taken. Colour profiles are not applied.

    Parameters
    ----------
    image
        A `PIL.Image.Image`, opened from a file and possibly not yet loaded.
    grey
        Whether to return luminance instead of colours.

    Returns
    -------
    PIL.Image.Image
        In mode L or RGB.

    Raises
    ------
    UnclearBrightnessError
        If the file has numbers of which no viewer knows the range.
    OSError, ValueError, ...
        Whatever Pillow raises for a damaged file.
    """
    _mend_transparency(image)
    image.load()
    return upright(_flat(image), _orientation(image)).convert("L" if grey else "RGB")


def upright(image: Image, orientation: int) -> Image:
    """Turn and mirror a picture by the EXIF orientation, 1 to 8; any other number leaves it as it is."""
    from PIL.Image import Transpose

    turned = (Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90)
    ways = (Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE, *turned)
    return image.transpose(ways[orientation - 2]) if 2 <= orientation <= 8 else image


def _orientation(image: Image) -> int:
    """Return the noted orientation; a damaged note is none, as it is to viewers."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # Pillow raises errors of any kind on damaged notes
        return 1
    return found if isinstance(found, int) else 1


def _flat(image: Image) -> Image:
    """Return the picture without transparency, in a mode that converts to L and RGB."""
    import PIL.Image

    if image.mode.startswith(("I", "F")):
        eight_bits = _eight_bits(image)
        return PIL.Image.fromarray(eight_bits)
    if not _has_transparency(image):
        return image.convert("RGB") if image.mode in BEYOND_THE_SCREEN else image
    layer = image.convert("LA" if image.mode == "La" else "RGBA").convert("RGBA")
    paper = PIL.Image.new("RGBA", layer.size, "white")
    paper.alpha_composite(layer)
    return paper.convert("RGB")


def _has_transparency(image: Image) -> bool:
    palette = getattr(image, "palette", None)
    in_palette = image.mode == "P" and palette is not None and palette.mode.endswith("A")
    return image.mode in ALPHA_MODES or "transparency" in image.info or in_palette


def _mend_transparency(image: ImageFile) -> None:
    """Bring the transparent value of a PNG file to the 8 bits that Pillow brings its pixels to."""
    value = image.info.get("transparency")
    if image.format != "PNG" or not image.tile:
        return
    raw_mode = image.tile[0][3]
    if isinstance(value, tuple) and str(raw_mode).endswith(";16B"):
        image.info["transparency"] = tuple(level >> 8 for level in value)
    elif isinstance(value, int) and raw_mode in GREY_STEP:
        image.info["transparency"] = min(value * GREY_STEP[raw_mode], 255)


def _eight_bits(image: Image) -> NDArray[np.uint8]:
    """Return grey pixels of more than 8 bits as 8, shape (height, width)."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    levels = _of_floats(values) if image.mode == "F" else _of_integers(values, image, tags)
    if tags.get(PHOTOMETRIC) == MIN_IS_WHITE:
        levels = 255 - levels
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        levels = np.where(values == transparent, np.uint8(255), levels)
    return levels.astype(np.uint8)


def _of_integers(values: IntArray, image: Image, tags: Mapping[int, tuple[int, ...]]) -> IntArray:
    if image.mode == "I" and image.format not in SIXTEEN_BITS:
        raise UnclearBrightnessError("holds 32-bit numbers, of which no viewer knows which is white; save it as 16-bit")
    bits = tags.get(BITS_PER_SAMPLE, (16,))[0]
    levels: IntArray = np.clip(values, 0, 2**bits - 1) >> (bits - 8)
    return levels


def _of_floats(values: NDArray[np.float32]) -> IntArray:
    if not (np.isfinite(values) & (values >= 0) & (values <= 1)).all():
        raise UnclearBrightnessError("holds floating-point numbers beyond 0 (black) to 1 (white); save it as 16-bit")
    levels: IntArray = np.rint(values * 255.0).astype(np.intp)
    return levels
