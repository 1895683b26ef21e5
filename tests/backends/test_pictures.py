"""What is read from a picture is what a viewer shows of it, or one line with its name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from epsl_opt import InputError
from epsl_opt.backends.datasets.pictures import read_pictures, suffixes
from epsl_opt.backends.datasets.tasks import load_task
from epsl_opt.backends.datasets.viewing import as_shown, upright

Image = pytest.importorskip("PIL.Image")
from campaign.image_folders import MODES, SIDE, TURNS, WRITES_ALL, damaged, drawn, encoded, write_folder  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)


def seen(path: Path, grey: bool = False, size: int = SIDE) -> NDArray[np.int64]:
    """Read one picture, shape (size, size, channels)."""
    return read_pictures([path], size, grey, "images")[0].transpose(1, 2, 0).astype(np.int64)


def luminance(colours: NDArray[Any]) -> NDArray[Any]:
    """Return the grey of colours after ITU-R 601-2, shape (SIDE, SIDE, 1)."""
    return colours @ np.array([[0.299], [0.587], [0.114]])


@pytest.mark.skipif(not WRITES_ALL, reason="Pillow before 13 does not write, or not read, all of its modes")
@settings(max_examples=3)
@given(seed=SEEDS)
def test_every_mode_and_format_is_read_as_it_is_shown(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Whatever Pillow writes, with transparency and orientation, is read as NumPy computes what is shown of it."""
    for path, shown in write_folder(tmp_path_factory.mktemp("all"), np.random.default_rng(seed)).items():
        assert np.abs(seen(path) - shown.pixels).max() <= shown.tolerance, path.name
        assert np.abs(seen(path, grey=True) - luminance(shown.pixels)).max() <= shown.tolerance + 1, path.name


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "I"])
@given(seed=SEEDS)
def test_modes_that_no_file_has_are_shown_alike(mode: str, seed: int) -> None:
    """A picture in memory, of any mode of Pillow, is shown by the same rules."""
    image, pixels = drawn(mode, np.random.default_rng(seed))
    assert np.abs(np.asarray(as_shown(image, grey=False)).astype(int) - pixels).max() <= 4


@given(seed=SEEDS)
def test_damaged_pictures_are_one_line(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """A file that is cut, empty, of another kind, a bomb, a program or without a known white is named, in one line."""
    folder = tmp_path_factory.mktemp("damaged")
    for name, content in damaged(np.random.default_rng(seed)).items():
        (folder / name).write_bytes(content)
        with pytest.raises(InputError) as caught:
            seen(folder / name)
        assert str(caught.value).startswith(f"{folder / name}: ")
        assert "\n" not in str(caught.value)


@given(seed=SEEDS, data=st.data())
def test_flipped_bytes_are_read_or_named(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: st.DataObject
) -> None:
    """A picture with some bytes changed gives an array or an `InputError` with its name, and never a warning."""
    rng = np.random.default_rng(seed)
    suffix = data.draw(st.sampled_from(["png", "jpg", "tif", "gif", "bmp", "webp", "tga", "ppm", "pcx", "ico"]))
    content = bytearray(encoded(drawn("L", rng)[0], suffix))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("flipped") / f"a.{suffix}"
    path.write_bytes(content)
    try:
        assert seen(path).shape == (SIDE, SIDE, 3)
    except InputError as error:
        assert str(error).startswith(f"{path}: ")  # noqa: PT017 (either is right)


def png(bits: int, colours: int, values: NDArray[Any], transparent: list[int]) -> bytes:
    """Write a PNG file of 1 (grey) or 3 colours with `bits` each, one of whose colours is transparent."""
    flat = values.reshape(len(values), -1)
    if bits < 8:
        digits = "".join(f"{value:0{bits}b}" for value in flat.ravel())
        body = int(digits, 2).to_bytes(len(digits) // 8, "big")
    else:
        body = flat.astype(f">u{bits // 8}").tobytes()
    width = len(body) // len(values)
    rows = b"".join(b"\0" + body[start : start + width] for start in range(0, len(body), width))
    header = struct.pack(">IIBBBBB", values.shape[1], len(values), bits, {1: 0, 3: 2}[colours], 0, 0, 0)
    clear = b"".join(struct.pack(">H", value) for value in transparent)
    parts = ((b"IHDR", header), (b"tRNS", clear), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part)) for name, part in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colours", [1, 3])
def test_the_transparent_colour_of_png_is_white(tmp_path: Path, bits: int, colours: int) -> None:
    """At every depth the one transparent colour shows the white below it, and all others what they are."""
    if colours == 3 and bits < 8:
        pytest.skip("no such PNG")
    top = 2**bits - 1
    values = np.random.default_rng(bits).integers(0, top + 1, (SIDE, SIDE, colours))
    values[2, 3] = top // 3
    path = tmp_path / "clear.png"
    path.write_bytes(png(bits, colours, values, values[2, 3].tolist()))
    expected = np.where((values == values[2, 3]).all(axis=-1, keepdims=True), 255, values * 255 // top)
    assert np.abs(seen(path) - expected).max() <= 1


def tiff(bits: int, photometric: int, values: NDArray[Any], sample_format: int = 1) -> bytes:
    """Write a grey TIFF file with `bits` a pixel; of 12 bits, two pixels take three bytes."""
    if bits == 12:
        digits = "".join(f"{value:012b}" for value in values.ravel())
        body = int(digits, 2).to_bytes(len(digits) // 8, "big")
    else:
        body = values.astype("<f4" if sample_format == 3 else f"<u{bits // 8}").tobytes()
    rows, columns = values.shape
    tags = {256: columns, 257: rows, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: rows, 279: len(body)}
    tags[339] = sample_format
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags)) + entries + bytes(4)


@pytest.mark.parametrize(("bits", "black"), [(12, 1), (16, 0), (16, 1), (32, 0), (32, 1)])
def test_deep_tiff_files_use_their_own_range(tmp_path: Path, bits: int, black: int) -> None:
    """Scans of 12 and 16 bits and floats are scaled by their own range, also where 0 is white."""
    rng = np.random.default_rng(bits)
    values = rng.random((SIDE, SIDE)) if bits == 32 else rng.integers(0, 2**bits, (SIDE, SIDE))
    shares = values / (1 if bits == 32 else 2**bits - 1)
    path = tmp_path / "scan.tif"
    path.write_bytes(tiff(bits, black, values, 3 if bits == 32 else 1))
    expected = 255 * (shares if black == 1 else 1 - shares)
    assert np.abs(seen(path) - expected[..., np.newaxis]).max() <= 1


def test_a_damaged_orientation_is_none(tmp_path: Path) -> None:
    """A picture whose EXIF note is nonsense, or names an orientation that there is not, is read as it is stored."""
    pixels = drawn("RGB", np.random.default_rng(0))[1]
    for k, note in enumerate((b"Exif\0\0nonsense", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0")):
        path = tmp_path / f"{k}.png"
        Image.fromarray(pixels).save(path, exif=note)
        assert np.array_equal(seen(path), pixels)
    for orientation in (-1, 0, 1, 9, 65535):
        assert np.array_equal(np.asarray(upright(Image.fromarray(pixels), orientation)), pixels)


def test_a_large_turned_photograph_is_shrunk_upright(tmp_path: Path) -> None:
    """A JPEG that is decoded at a fraction of its size is still turned by its note."""
    sky_and_grass = np.full((480, 640, 3), 40, dtype=np.uint8)
    sky_and_grass[:240] = 220
    for orientation, turn in TURNS.items():
        note = Image.Exif()
        note[0x0112] = orientation
        path = tmp_path / f"{orientation}.jpg"
        Image.fromarray(np.ascontiguousarray(turn(sky_and_grass))).save(path, exif=note)
        found = seen(path, grey=True, size=4)
        assert found[0].min() > 200
        assert found[-1].max() < 60


def test_the_first_frame_is_what_is_read(tmp_path: Path) -> None:
    """Of moving pictures and of files with several pages the first is read."""
    frames = [Image.new("RGB", (SIDE, SIDE), colour) for colour in ("red", "lime", "blue")]
    for suffix in ("gif", "png", "tif", "webp"):
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert np.abs(seen(path) - np.array([255, 0, 0])).max() <= 6, suffix


def test_suffixes_are_those_that_pillow_reads() -> None:
    """Every suffix whose format Pillow decodes is known in lower case, none that it only writes or can't decode."""
    known = suffixes("images")
    usual = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".mpo"}
    assert usual <= set(known)
    assert not {".pdf", ".eps", ".ps", ".mpg", ".h5", ".wmf", ".txt", ""} & set(known)


def test_sixteen_bits_train_as_eight(tmp_path: Path) -> None:
    """A set of 16-bit scans gives the same samples as the same set saved with 8 bits."""
    rng = np.random.default_rng(0)
    for name in ("ant", "bee"):
        for k in range(5):
            deep = rng.integers(0, 2**16, (9, 9)).astype(np.uint16)
            for depth, image in ((16, Image.fromarray(deep)), (8, Image.fromarray((deep >> 8).astype(np.uint8)))):
                path = tmp_path / str(depth) / name / f"{k}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path)
    deep, plain = (load_task(f"images:root={tmp_path / depth},size=9", 0) for depth in ("16", "8"))
    assert np.array_equal(deep.train_x, plain.train_x)
    assert np.array_equal(deep.test_x, plain.test_x)
