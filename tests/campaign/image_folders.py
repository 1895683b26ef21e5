"""Folders of small pictures in every mode and format that Pillow writes, with what a viewer shows of each.

What is shown is computed here from the numbers that are written, by formulas of NumPy alone, so that it can tell
whether a reader is right.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, features

SIDE = 16
WRITES_ALL = int(PIL.__version__.partition(".")[0]) >= 13
"""Whether the installed Pillow writes, and reads again, every mode in every format below."""
Pixels = NDArray[np.uint8]

GREY_MODES = {"I;16": "<u2", "I;16L": "<u2", "I;16B": ">u2", "I;16N": "=u2", "I": "=i4", "F": "=f4"}
BANDS = {"L": 1, "LA": 2, "La": 2, "RGB": 3, "RGBX": 4, "RGBA": 4, "RGBa": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3, "LAB": 3}
MODES = ("1", *BANDS, "P", "PA", *GREY_MODES)
"""Every mode of Pillow."""

WRITES: dict[str, tuple[str, ...]] = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B"),
    "tif": ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I;16L", "F"),
    "bmp": ("1", "L", "P", "RGB"),
    "dib": ("1", "L", "P", "RGB"),
    "gif": ("1", "L", "P"),
    "webp": ("L", "LA", "RGB", "RGBA"),
    "ppm": ("1", "L", "RGB", "I", "I;16"),
    "pfm": ("F",),
    "tga": ("1", "L", "LA", "P", "RGB", "RGBA"),
    "sgi": ("L", "RGB", "RGBA"),
    "pcx": ("1", "L", "P", "RGB"),
    "msp": ("1",),
    "qoi": ("RGB", "RGBA"),
    "dds": ("L", "LA", "RGB", "RGBA"),
    "ico": ("L", "LA", "P", "RGB", "RGBA"),
    "jp2": ("L", "LA", "RGB", "RGBA", "I;16"),
    "jpg": ("1", "L", "RGB", "CMYK"),
    "jfif": ("L", "RGB"),
    "avif": ("L", "RGB"),
}
"""Suffix -> the modes that its format keeps, so that what is written says what is shown."""

LOSSY = {"jpg": 8, "jfif": 8, "avif": 8}
OPTIONS: dict[str, dict[str, Any]] = {
    "webp": {"lossless": True, "exact": True},
    "ico": {"sizes": [(SIDE, SIDE)]},
    "jpg": {"quality": 98, "subsampling": 0},
    "jfif": {"quality": 98, "subsampling": 0},
    "avif": {"quality": 98, "subsampling": "4:4:4"},
}
NEEDS = {"webp": "webp", "jp2": "jpg_2000", "avif": "avif", "jpg": "jpg", "jfif": "jpg"}
FORMATS = {"jfif": "JPEG", "pfm": "PPM", "jpg": "JPEG", "jp2": "JPEG2000", "tif": "TIFF"}


@dataclass(frozen=True, eq=False)
class Shown:
    """What a viewer shows: colours, shape (SIDE, SIDE, 3), and by how much a reader may differ from them."""

    pixels: Pixels
    tolerance: int


def write_folder(root: Path, rng: np.random.Generator, classes: tuple[str, ...] = ("ant", "bee")) -> dict[Path, Shown]:
    """Write one picture of each mode and format that goes together, and of each kind of transparency and orientation.

    Parameters
    ----------
    root
        Where the folders of the classes are made; it may exist.
    rng
        Draws the pixels.
    classes
        Names of the classes, which get the pictures in turn.

    Returns
    -------
    dict
        What a viewer shows of each file.
    """
    made = [*_all_modes(rng), *_transparent(rng), *_turned(rng)]
    expected: dict[Path, Shown] = {}
    for i, (name, content, shown) in enumerate(made):
        path = root / classes[i % len(classes)] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        expected[path] = shown
    return expected


def damaged(rng: np.random.Generator) -> dict[str, bytes]:
    """Return files, by name, of which a viewer shows nothing, or which do not say what is white."""
    picture = drawn("RGB", rng)[0]
    files = {f"cut.{kind}": encoded(picture, kind)[:-200] for kind in ("png", "jpg", "tif", "bmp", "tga", "ppm")}
    numbers = rng.integers(0, 2**30, (SIDE, SIDE))
    return files | {
        "empty.png": b"",
        "page.jpg": b"<!DOCTYPE html><title>403</title>",
        "noise.png": rng.bytes(500),
        "bomb.png": _claiming(encoded(picture, "png"), 2**20),
        "nothing.ppm": b"P6 0 0 255\n",
        "nothing.gif": b"GIF89a" + bytes(7) + b";",
        "nothing.tga": bytes(2) + b"\2" + bytes(13) + b"\x18\0",
        "program.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "numbers.tif": encoded(Image.fromarray(numbers.astype(np.int32)), "tif"),
        "floats.tif": encoded(Image.fromarray((numbers / 1e3).astype(np.float32)), "tif"),
        "nan.tif": encoded(Image.fromarray(np.full((SIDE, SIDE), np.nan, dtype=np.float32)), "tif"),
    }


def encoded(image: Any, suffix: str, **options: Any) -> bytes:
    """Return an image as a file of that suffix, without loss where the format can."""
    file = io.BytesIO()
    image.save(file, FORMATS.get(suffix, suffix.upper()), **OPTIONS.get(suffix, {}) | options)
    return file.getvalue()


def available(suffix: str) -> bool:
    """Return whether the installed Pillow writes that format."""
    return suffix not in NEEDS or NEEDS[suffix] in features.get_supported()


def drawn(mode: str, rng: np.random.Generator, *, even: bool = False) -> tuple[Any, Pixels]:
    """Return a picture of a mode and what is shown of it.

    Parameters
    ----------
    mode
        One of `MODES`.
    rng
        Draws the pixels.
    even
        Whether to draw four even patches, which survive compression, instead of noise.
    """
    if mode in GREY_MODES:
        return _deep(mode, rng)
    if mode in ("P", "PA"):
        return _palette(mode, rng)
    values = _values(rng, BANDS.get(mode, 1), even)
    if mode == "1":
        black_white = values[..., 0] > 127
        return Image.fromarray(black_white), _grey(np.where(black_white, 255, 0))
    if mode == "LAB":
        values = _to_lab(values)
        signed = values ^ np.array([0, 128, 128], dtype=np.uint8)  # as files hold them
        return Image.frombytes(mode, (SIDE, SIDE), signed.tobytes()), SHOWN[mode](values.astype(np.float64))
    if mode in ("La", "RGBa"):  # colours that are multiplied by their opacity never exceed it
        values[..., :-1] = np.minimum(values[..., :-1], values[..., -1:])
    return Image.frombytes(mode, (SIDE, SIDE), values.tobytes()), SHOWN[mode](values.astype(np.float64))


def on_white(colours: NDArray[Any], opacity: NDArray[Any]) -> Pixels:
    """Return colours, shape (SIDE, SIDE, 1 or 3), of that opacity, shape (SIDE, SIDE, 1) from 0 to 255, on white."""
    share = opacity / 255.0
    return _grey_or_colour(colours * share + 255.0 * (1 - share))


def _claiming(png: bytes, side: int) -> bytes:
    """Return a PNG file whose header claims another size."""
    header = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def _all_modes(rng: np.random.Generator) -> list[tuple[str, bytes, Shown]]:
    made = []
    for suffix in filter(available, WRITES):
        for mode in WRITES[suffix]:
            image, pixels = drawn(mode, rng, even=suffix in LOSSY)
            name = f"{mode.replace(';', '-')}.{suffix}"
            made.append((name, encoded(image, suffix), Shown(pixels, LOSSY.get(suffix, TOLERANCE.get(mode, 1)))))
    return made


def _transparent(rng: np.random.Generator) -> list[tuple[str, bytes, Shown]]:
    """Palettes and colours of which some are transparent, as PNG and GIF note them."""
    made = []
    image, pixels = drawn("P", rng)
    indices = np.asarray(image)
    clear = (indices == 2)[..., np.newaxis]
    for suffix in ("png", "gif"):
        content = encoded(image, suffix, transparency=2)
        made.append((f"clear-index.{suffix}", content, Shown(np.where(clear, 255, pixels).astype(np.uint8), 1)))
    opacity = rng.integers(0, 256, 8)
    shown = on_white(pixels, opacity[indices][..., np.newaxis])
    made.append(("clear-palette.png", encoded(image, "png", transparency=bytes(opacity.tolist())), Shown(shown, 1)))
    for mode in ("L", "RGB", "I;16"):
        image, pixels = drawn(mode, rng)
        chosen = image.getpixel((3, 5))
        clear = (np.asarray(image).reshape(SIDE, SIDE, -1) == chosen).all(axis=-1, keepdims=True)
        content = encoded(image, "png", transparency=chosen)
        shown = np.where(clear, 255, pixels).astype(np.uint8)
        made.append((f"clear-{mode.replace(';', '-')}.png", content, Shown(shown, 1)))
    return made


TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: np.fliplr,
    3: lambda upright: np.rot90(upright, 2),
    4: np.flipud,
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: np.rot90(upright, 2).swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}
"""EXIF orientation -> how an upright picture is stored: with 6 the camera was turned, and row 0 is the right side."""


def _turned(rng: np.random.Generator) -> list[tuple[str, bytes, Shown]]:
    made = []
    for orientation, turn in TURNS.items():
        for suffix in filter(available, ("jpg", "png", "tif", "webp")):
            upright = drawn("RGB", rng, even=suffix in LOSSY)[1]
            note = Image.Exif()
            note[0x0112] = orientation
            content = encoded(Image.fromarray(np.ascontiguousarray(turn(upright))), suffix, exif=note)
            made.append((f"turned-{orientation}.{suffix}", content, Shown(upright, LOSSY.get(suffix, 1))))
    return made


def _values(rng: np.random.Generator, bands: int, even: bool) -> Pixels:
    if not even:
        return rng.integers(0, 256, (SIDE, SIDE, bands), dtype=np.uint8)
    patches = rng.integers(30, 226, (2, 2, bands), dtype=np.uint8)
    return patches.repeat(SIDE // 2, axis=0).repeat(SIDE // 2, axis=1)


def _deep(mode: str, rng: np.random.Generator) -> tuple[Any, Pixels]:
    """Grey of 16 bits, or of floats from 0 (black) to 1 (white)."""
    kind = np.dtype(GREY_MODES[mode])
    if mode == "F":
        values = rng.random((SIDE, SIDE))
        return Image.fromarray(values.astype(np.float32)), _grey(np.rint(values * 255))
    values = rng.integers(0, 2**16, (SIDE, SIDE))
    return Image.frombytes(mode, (SIDE, SIDE), values.astype(kind).tobytes()), _grey(values // 256)


def _palette(mode: str, rng: np.random.Generator) -> tuple[Any, Pixels]:
    colours = rng.integers(0, 256, (8, 3), dtype=np.uint8)
    indices = rng.integers(0, 8, (SIDE, SIDE), dtype=np.uint8)
    image = Image.frombytes("P", (SIDE, SIDE), indices.tobytes())
    image.putpalette(colours.tobytes())
    if mode == "P":
        return image, colours[indices]
    opacity = rng.integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    image = image.convert("PA")
    image.putalpha(Image.fromarray(opacity))
    return image, on_white(colours[indices], opacity[..., np.newaxis])


def _grey(values: NDArray[Any]) -> Pixels:
    return np.repeat(values[..., np.newaxis], 3, axis=-1).astype(np.uint8)


def _grey_or_colour(values: NDArray[Any]) -> Pixels:
    levels = np.clip(np.rint(values), 0, 255)
    return _grey(levels[..., 0]) if values.shape[-1] == 1 else levels.astype(np.uint8)


def _of_cmyk(values: NDArray[Any]) -> Pixels:
    return _grey_or_colour((255 - values[..., :3]) * (255 - values[..., 3:]) / 255)


def _of_ycbcr(values: NDArray[Any]) -> Pixels:
    y, b, r = values[..., 0], values[..., 1] - 128, values[..., 2] - 128
    return _grey_or_colour(np.stack([y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b], axis=-1))


def _of_hsv(values: NDArray[Any]) -> Pixels:
    hue, saturation, value = values[..., 0] / 255 * 6, values[..., 1] / 255, values[..., 2]
    place = (np.array([5.0, 3.0, 1.0]) + hue[..., np.newaxis]) % 6
    fall = np.clip(np.minimum(place, 4 - place), 0, 1)
    return _grey_or_colour(value[..., np.newaxis] * (1 - saturation[..., np.newaxis] * fall))


XYZ_OF_RGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""Linear sRGB to CIE XYZ under D50, by Bradford's adaptation."""

WHITE = XYZ_OF_RGB.sum(axis=1)


def _to_lab(values: Pixels) -> Pixels:
    """Return colours that a screen can show as bytes of CIELAB, so that nothing is clipped."""
    shares = (120 + values * (120 / 255)) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    root = np.cbrt(linear @ XYZ_OF_RGB.T / WHITE)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    lab = np.stack([(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], axis=-1)
    return np.clip(np.rint(lab), 0, 255).astype(np.uint8)


def _of_lab(values: NDArray[Any]) -> Pixels:
    y = (values[..., 0] / 2.55 + 16) / 116
    root = np.stack([y + (values[..., 1] - 128) / 500, y, y - (values[..., 2] - 128) / 200], axis=-1)
    xyz = WHITE * np.where(root > 6 / 29, root**3, (root - 4 / 29) * 3 * (6 / 29) ** 2)
    linear = np.clip(xyz @ np.linalg.inv(XYZ_OF_RGB).T, 0, 1)
    return _grey_or_colour(255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


SHOWN: dict[str, Callable[[NDArray[Any]], Pixels]] = {
    "L": _grey_or_colour,
    "LA": lambda values: on_white(values[..., :1], values[..., 1:]),
    "La": lambda values: _grey_or_colour(values[..., :1] + 255 - values[..., 1:]),
    "RGB": _grey_or_colour,
    "RGBX": lambda values: _grey_or_colour(values[..., :3]),
    "RGBA": lambda values: on_white(values[..., :3], values[..., 3:]),
    "RGBa": lambda values: _grey_or_colour(values[..., :3] + 255 - values[..., 3:]),
    "CMYK": _of_cmyk,
    "YCbCr": _of_ycbcr,
    "HSV": _of_hsv,
    "LAB": _of_lab,
}
"""Mode -> what is shown of its numbers, shape (SIDE, SIDE, bands)."""

TOLERANCE = {"LAB": 6, "YCbCr": 2, "HSV": 3, "CMYK": 2}
"""Where conversions round differently; elsewhere a level."""
