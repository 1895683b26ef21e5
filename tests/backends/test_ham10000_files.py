"""HAM10000 is read from tables of pixels or from images, and no lesion is on both sides."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from epsl_opt import InputError
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.lesions import read_lesions
from epsl_opt.backends.datasets.tasks import load_task

DIAGNOSES = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")
LESIONS = [0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14]


def write_metadata(root: Path, lesions: list[int] = LESIONS) -> NDArray[np.intp]:
    """Write the metadata of one image an entry; lesion k has the diagnosis k mod 7."""
    lines = [f"HAM_{lesion:07},ISIC_{i:07},{DIAGNOSES[lesion % 7]},histo,80.0" for i, lesion in enumerate(lesions)]
    text = "\n".join(["lesion_id,image_id,dx,dx_type,age", *lines, ""])
    (root / "HAM10000_metadata.csv").write_text(text, encoding="utf-8")
    return np.array(lesions) % 7


def pixel_of(image: int, row: int, column: int, colour: int) -> int:
    """Return a value that tells image, row, column and colour."""
    return (image * 12 + row * 5 + column * 3 + colour) % 256


def write_table(root: Path, size: int, colours: int, labels: NDArray[np.intp]) -> Path:
    """Write a table of pixels as the published ones are: colours innermost, then columns, then rows."""
    path = root / f"hmnist_{size}_{size}_{'L' if colours == 1 else 'RGB'}.csv"
    places = [(row, column, colour) for row in range(size) for column in range(size) for colour in range(colours)]
    rows = [
        ",".join(str(pixel_of(image, *place)) for place in places) + f",{label}" for image, label in enumerate(labels)
    ]
    header = ",".join([*(f"pixel{k:04}" for k in range(len(places))), "label"])
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def images_of(data: Dataset) -> list[int]:
    """Tell from the order of all scaled top-left pixels which image each sample is, training samples first."""
    corner = np.concatenate([data.train_x, data.test_x])[:, 0, 0, 0]
    return [int(rank) for rank in np.argsort(np.argsort(corner))]


@given(st.lists(st.integers(0, 13), min_size=4, max_size=20), st.integers(0, 99))
def test_no_lesion_is_on_both_sides(tmp_path_factory: pytest.TempPathFactory, lesions: list[int], seed: int) -> None:
    """However images are spread over lesions, each is there once and no lesion is both trained on and tested with."""
    root = tmp_path_factory.mktemp("ham")
    write_table(root, 2, 1, write_metadata(root, lesions))
    try:
        data = load_task(f"ham10000:root={root},test-fraction=0.5", seed)
    except InputError as error:
        assert str(error).endswith("and 0 test samples")  # noqa: PT017 (allowed where each class is one lesion)
        return
    images = images_of(data)
    held_out = images[len(data.train_y) :]
    assert sorted(images) == list(range(len(lesions)))
    assert not {lesions[i] for i in held_out} & {lesions[i] for i in images[: len(data.train_y)]}
    assert data.test_y.tolist() == [lesions[i] % 7 for i in held_out]


@pytest.mark.parametrize("colours", [1, 3])
def test_pixels_are_where_they_belong(tmp_path: Path, colours: int) -> None:
    """A table comes back as channels of rows of columns."""
    write_table(tmp_path, 4, colours, write_metadata(tmp_path))
    data = load_task(f"ham10000:root={tmp_path}", 0)
    expected = np.array(
        [
            [[[pixel_of(i, r, c, colour) for c in range(4)] for r in range(4)] for colour in range(colours)]
            for i in images_of(data)
        ]
    )
    train = expected[: len(data.train_y)].astype(np.float64)
    mean, deviation = train.mean(axis=(0, 2, 3), keepdims=True), train.std(axis=(0, 2, 3), keepdims=True)
    found = np.concatenate([data.train_x, data.test_x]) * deviation + mean
    assert np.array_equal(np.rint(found), expected)
    assert data.classes == DIAGNOSES


@pytest.mark.parametrize(
    ("options", "chosen", "shape"),
    [
        ("", "hmnist_4_4_RGB.csv", (3, 4, 4)),
        (",grey=true", "hmnist_6_6_L.csv", (1, 6, 6)),
        (",size=4", "hmnist_4_4_RGB.csv", (3, 4, 4)),
        (",size=4,grey=yes", "hmnist_4_4_L.csv", (1, 4, 4)),
        (",size=6", "hmnist_6_6_L.csv", (1, 6, 6)),
    ],
)
def test_options_choose_among_tables(tmp_path: Path, options: str, chosen: str, shape: tuple[int, ...]) -> None:
    """Size and colour are honoured; what they leave open is decided for colour, then for size."""
    labels = write_metadata(tmp_path)
    for size, colours in ((4, 1), (4, 3), (6, 1)):
        write_table(tmp_path, size, colours, labels)
    data = load_task(f"ham10000:root={tmp_path}{options}", 0)
    assert data.input_shape == shape
    assert chosen in data.name


@pytest.mark.parametrize("grey", [False, True])
def test_images_are_read_from_folders(tmp_path: Path, grey: bool) -> None:
    """JPEG files in the root and in folders of it become squares, each with the label of its row."""
    image = pytest.importorskip("PIL.Image")
    labels = write_metadata(tmp_path)
    (tmp_path / "HAM10000_images_part_1").mkdir()
    for i in range(len(labels)):
        folder = tmp_path / "HAM10000_images_part_1" if i % 2 else tmp_path
        image.new("RGB", (60, 45), (12 * i, 12 * i, 12 * i)).save(folder / f"ISIC_{i:07}.jpg")
    data = load_task(f"ham10000:root={tmp_path},size=8,grey={grey}", 0)
    assert data.input_shape == (1 if grey else 3, 8, 8)
    assert "images" in data.name
    assert np.concatenate([data.train_y, data.test_y]).tolist() == [int(labels[i]) for i in images_of(data)]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "hmnist_2_2_L.csv",
            "0,3,5,8,0\n",
            "0,3,5,256,0\n",
            r"row 1, column 4: must be .* to 255, got '256'$",
        ),
        (
            "hmnist_2_2_L.csv",
            "15,17,20,0\n",
            "15,17,0\n",
            r"is no table of .*: the number of columns changed from 5 to 4 at row 2$",
        ),
        ("hmnist_2_2_L.csv", ",label", ",class", r"header: must name 4 pixels and then label, but has 5 columns, .*"),
        ("hmnist_2_2_L.csv", "pixel0000,", "", r"header: must name 4 pixels and then label, but has 4 columns"),
        ("hmnist_2_2_L.csv", "0,3,5,8,0\n", "", r"has 19 rows, but .*HAM10000_metadata\.csv has 20$"),
        ("hmnist_2_2_L.csv", "8,0\n", "8,6\n", r"label of row 1: is 6, but .* says akiec \(0\); is the order the same"),
        ("HAM10000_metadata.csv", "dx,", "diagnosis,", r"dx: missing column$"),
        ("HAM10000_metadata.csv", "akiec", "flu", r"line 2, dx: must be one of akiec, .*, got 'flu'$"),
        ("HAM10000_metadata.csv", "ISIC_0000001", "ISIC_0000000", r"line 3: needs a lesion and an image of its own"),
        ("HAM10000_metadata.csv", "ISIC_0000000", " ", r"line 2: needs a lesion and an image of its own"),
    ],
)
def test_wrong_files_are_one_line(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    """What is wrong with a table or the metadata is said with file and row; a table in another order is noticed."""
    path = write_table(tmp_path, 2, 1, write_metadata(tmp_path)).with_name(file)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        load_task(f"ham10000:root={tmp_path}", 0)
    assert str(caught.value).startswith(str(path))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """Without metadata, without rows, without images and without a table that fits, the error says which."""
    with pytest.raises(InputError, match=r"^task ham10000: root: no HAM10000_metadata\.csv in "):
        load_task(f"ham10000:root={tmp_path}", 0)
    labels = write_metadata(tmp_path)
    with pytest.raises(InputError, match=r": no table of pixels fits the options, and 20 of 20 images are neither"):
        load_task(f"ham10000:root={tmp_path}", 0)
    table = write_table(tmp_path, 4, 1, labels)
    with pytest.raises(InputError, match=r": 20 of 20 images are neither in it nor in its folders, ISIC_0000000\.jpg"):
        load_task(f"ham10000:root={tmp_path},source=images", 0)
    with pytest.raises(InputError, match=r"^task ham10000: source: no hmnist_SIZE_SIZE_L\.csv or _RGB\.csv in "):
        load_task(f"ham10000:root={tmp_path},source=pixels,size=8", 0)
    table.write_text(table.read_text(encoding="utf-8").partition("\n")[0], encoding="utf-8")
    with pytest.raises(InputError, match=r"_L\.csv: holds no rows$"):
        load_task(f"ham10000:root={tmp_path}", 0)


def rewrite(
    root: Path, change: Callable[[str], str], name: str = "HAM10000_metadata.csv", encoding: str = "utf-8"
) -> None:
    """Write the metadata anew."""
    path = root / "HAM10000_metadata.csv"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    (root / name).write_text(change(text), encoding=encoding)


WRITTEN: dict[str, Callable[[str], str]] = {
    "tabs": lambda text: text.replace(",", "\t"),
    "semicolons": lambda text: text.replace(",", ";"),
    "line ends": lambda text: text.replace("\n", "\r\n"),
    "quotes": lambda text: "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()),
    "upper case": lambda text: text.upper(),
    "an index": lambda text: "\n".join(f"{i - 1 if i else ''},{line}" for i, line in enumerate(text.splitlines())),
    "blanks": lambda text: text.replace(",", " , ") + "\n\n,,,,\n",
    "files": lambda text: re.sub(r"(ISIC_\d+)", r"images/\1.JPG", text),
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    ("name", "encoding"), [("HAM10000_metadata.csv", "utf-8-sig"), ("HAM10000_metadata.tab", "utf-8")]
)
def test_metadata_may_be_written_otherwise(tmp_path: Path, written: str, name: str, encoding: str) -> None:
    """Separators, marks, quotes, case, an index, blanks and suffixes change neither labels nor the split."""
    write_table(tmp_path, 2, 1, write_metadata(tmp_path))
    plain = load_task(f"ham10000:root={tmp_path}", 0)
    images = read_lesions(tmp_path).image_ids
    rewrite(tmp_path, WRITTEN[written], name, encoding)
    assert read_lesions(tmp_path).image_ids == images
    found = load_task(f"ham10000:root={tmp_path}", 0)
    for part in ("train_x", "train_y", "test_x", "test_y"):
        assert np.array_equal(getattr(found, part), getattr(plain, part))


@pytest.mark.parametrize("missing", ["", "nan", "NA", "column"])
def test_images_without_a_lesion_are_split_one_by_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    """Where lesions are missing each image is its own, the log says how many, and all images are still there."""
    lesions = [k // 2 for k in range(28)]
    write_table(tmp_path, 2, 1, write_metadata(tmp_path, lesions))
    if missing == "column":
        rewrite(tmp_path, lambda text: "\n".join(line.partition(",")[2] for line in text.splitlines()))
    else:
        rewrite(tmp_path, lambda text: re.sub(r"HAM_\d+", missing, text))
    data = load_task(f"ham10000:root={tmp_path},test-fraction=0.5", 0)
    assert len(data.train_y) == len(data.test_y) == 14
    (message,) = [record.message for record in caplog.records]
    assert "lesion_id: missing for 28 of 28 images" in message


def test_text_in_utf_16_is_named(tmp_path: Path) -> None:
    """Metadata in UTF-16 is refused by name."""
    write_table(tmp_path, 2, 1, write_metadata(tmp_path))
    rewrite(tmp_path, str, encoding="utf-16")
    with pytest.raises(InputError, match=r"HAM10000_metadata\.csv: is not CSV text in UTF-8 but in UTF-16"):
        load_task(f"ham10000:root={tmp_path}", 0)


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_tables_may_have_an_index_and_the_label_in_front(tmp_path: Path, index: bool, first: bool) -> None:
    """A table as pandas writes it again, or with the label before the pixels, is read alike."""
    path = write_table(tmp_path, 4, 3, write_metadata(tmp_path))
    plain = load_task(f"ham10000:root={tmp_path}", 0)
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    if first:
        rows = [[row[-1], *row[:-1]] for row in rows]
    if index:
        rows = [[str(i + 254) if i else "", *row] for i, row in enumerate(rows)]
    path.write_text("\ufeff" + "\n".join(map(",".join, rows)), encoding="utf-8")
    found = load_task(f"ham10000:root={tmp_path}", 0)
    assert np.array_equal(found.train_x, plain.train_x)
    assert np.array_equal(found.test_y, plain.test_y)


@pytest.mark.parametrize("suffix", ["jpg", "JPG", "jpeg", "png", "PNG", "jfif"])
def test_images_are_found_at_any_depth(tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    """Images in nested folders, of any suffix, twice the same or with a system's files beside, are each read once."""
    image = pytest.importorskip("PIL.Image")
    labels = write_metadata(tmp_path)
    part = tmp_path / "HAM10000_images_part_1" / "HAM10000_images_part_1"
    other = tmp_path / "ham10000_images_part_1"
    for folder in (part, other, tmp_path / "__MACOSX"):
        folder.mkdir(parents=True)
    for i in range(len(labels)):
        name = f"ISIC_{i:07}.{suffix}"
        image.new("RGB", (30, 20), (12 * i, 12 * i, 12 * i)).save(part / name)
        (other / name).write_bytes((part / name).read_bytes())
        (part / f"._{name}").write_bytes(b"no picture")
        (tmp_path / "__MACOSX" / name).write_bytes(b"no picture")
    data = load_task(f"ham10000:root={tmp_path},size=8", 0)
    assert np.concatenate([data.train_y, data.test_y]).tolist() == [int(labels[i]) for i in images_of(data)]
    assert not caplog.records
    image.new("RGB", (30, 20), "red").save(other / name)
    with pytest.raises(InputError, match=rf"ISIC_0000019\.{suffix}: differs from .*, which is of the same name$"):
        load_task(f"ham10000:root={tmp_path},size=8", 1)
