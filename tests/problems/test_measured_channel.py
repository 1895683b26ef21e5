"""Measured channels come from CSV files exactly as they stand, and bad files are told apart from bad numbers."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from epsl_opt import InputError, Instance, load_instance
from epsl_opt.core.instance import SMALLEST_GAIN
from epsl_opt.problems.measured_table import read_table
from epsl_opt.problems.paper_options import PaperOptions
from epsl_opt.problems.scenario import PaperScenario


def generate(**options: Any) -> Instance:
    """Draw the paper's scenario with these options."""
    return PaperScenario().generate(PaperOptions(**options))


def write(path: Path, table: np.ndarray) -> str:
    """Write a table to the last digit."""
    path.write_text("\n".join(",".join(repr(float(x)) for x in row) for row in table) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def csv_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file that a test may write again and again."""
    return tmp_path_factory.mktemp("measured") / "table.csv"


GAINS = st.just(0.0) | st.floats(SMALLEST_GAIN, 1)


@given(table=arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 6)), elements=GAINS))
def test_gains_survive_the_way_through_a_file(csv_path: Path, table: np.ndarray) -> None:
    """Linear gains reach the instance to the bit, in both directions, and the file sets its size."""
    instance = generate(uplink_csv=write(csv_path, table))
    assert np.array_equal(instance.channel.uplink_gain, table)
    assert np.array_equal(instance.channel.downlink_gain, table)


@given(seed=st.integers(0, 1000), fading=st.sampled_from(["none", "rayleigh"]))
def test_decibels_and_ratios_lead_back_to_the_gains(csv_path: Path, seed: int, fading: str) -> None:
    """An instance's own gains, written as dB or as the SNRs its users would measure, give the same gains again."""
    source = generate(seed=seed, fading=fading, bandwidth_spread=0.5)
    uplink, downlink, noise = (getattr(source.channel, f) for f in source.channel.__class__.model_fields)
    as_measured = {
        ("uplink_csv", "gain_db"): uplink,
        ("uplink_csv", "snr_db"): source.max_power_w[:, None] * uplink / (noise * source.bandwidth_hz),
        ("downlink_csv", "snr_db"): source.server.downlink_psd_w_per_hz * downlink / noise,
    }
    for (option, quantity), ratios in as_measured.items():
        path = write(csv_path, 10 * np.log10(ratios))
        read = generate(**{option: path, "csv_quantity": quantity}, seed=seed, bandwidth_spread=0.5)
        assert read.channel.uplink_gain == pytest.approx(uplink, rel=1e-9)
        assert read.channel.downlink_gain == pytest.approx(downlink, rel=1e-9)


def test_each_direction_reads_its_own_file(tmp_path: Path) -> None:
    """With two files uplink and downlink gains differ as the files do."""
    up, down = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    instance = generate(uplink_csv=write(tmp_path / "up.csv", up), downlink_csv=write(tmp_path / "down.csv", down))
    assert np.array_equal(instance.channel.uplink_gain, up)
    assert np.array_equal(instance.channel.downlink_gain, down)


def test_only_the_channel_is_measured(tmp_path: Path) -> None:
    """Everything but the channel is drawn as without a file, and no place is claimed for the clients."""
    drawn = generate(clients=3, subchannels=4, sample_spread=0.5)
    read = generate(uplink_csv=write(tmp_path / "up.csv", drawn.channel.uplink_gain), sample_spread=0.5)
    assert [c.cycles_per_s for c in read.clients] == [c.cycles_per_s for c in drawn.clients]
    assert [c.samples for c in read.clients] == [c.samples for c in drawn.clients]
    assert read.subchannels == drawn.subchannels
    assert {(c.distance_m, c.line_of_sight) for c in read.clients} == {(None, None)}


def test_the_origin_regenerates_a_measured_instance(tmp_path: Path) -> None:
    """The recorded options name the file and its size, and give the instance again."""
    path = write(tmp_path / "up.csv", np.full((2, 3), 1e-10))
    instance = load_instance(f"paper:uplink_csv={path}")
    assert instance.origin is not None
    assert generate(**instance.origin["options"]) == instance


def test_spaces_blank_lines_and_a_byte_order_mark_are_harmless(tmp_path: Path) -> None:
    """What spreadsheets leave behind around numbers does not matter."""
    path = tmp_path / "export.csv"
    path.write_bytes(b"\xef\xbb\xbf 1e-9, 2E-9 \r\n\r\n,\r\n3e-9,4e-9\r\n\r\n")
    assert np.array_equal(read_table(str(path)), [[1e-9, 2e-9], [3e-9, 4e-9]])


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", "", "holds no numbers"),
        (b"\n \n", "", "holds no numbers"),
        (b"1,2\n\n3\n", "", "line 3: has 1 columns, but the first row has 2"),
        (b"1,2\n3,x\n", "", "line 2, column 2: must be a finite number, got 'x'"),
        (b"client,gain\n3,4\n", "", "line 1, column 1: must be a finite number, got 'client'"),
        (b"1,\n", "", "line 1, column 2: must be a finite number, got ''"),
        (b"1,nan\n", "", "line 1, column 2: must be a finite number, got 'nan'"),
        (b"1,2\n-inf,2\n", "", "line 2, column 1: must be a finite number, got '-inf'"),
        (b"1,1e999\n", "", "line 1, column 2: must be a finite number, got '1e999'"),
        (b"1,2\n3,-4\n", "", "row 2, column 2: a gain must not be negative, got -4"),
        (b"1,2\n3,600\n", ",csv_quantity=snr_db", "row 2, column 2: must be between -500 and 500 dB, got 600"),
        (b"1,2\n3,4\n", ",clients=3", "has 2 rows, but there are 3 clients"),
        (b"1,2\n3,4\n", ",subchannels=20", "has 2 columns, but there are 20 subchannels"),
        (b"1;2\n", "", "line 1, column 1: must be a finite number, got '1;2'"),
        (b"\xff\xfe\x00\x01", "", "is not CSV text"),
        (b"1,\x002\n", "", "must be a finite number"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes, options: str, words: str) -> None:
    """A bad file is one line with its name, the place in it and what is wrong there."""
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_instance(f"paper:uplink_csv={path}{options}")
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A missing file and a folder are named with the reason."""
    for path, reason in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=f"{path}: {reason}"):
            generate(downlink_csv=str(path))


def test_two_files_must_agree(tmp_path: Path) -> None:
    """A downlink file of another size than the uplink's is an error that names it."""
    up, down = (write(tmp_path / f"{n}.csv", np.ones((n, 4))) for n in (2, 3))
    with pytest.raises(InputError, match=r"3\.csv: has 3 rows, but there are 2 clients"):
        generate(uplink_csv=up, downlink_csv=down)


@pytest.mark.parametrize("option", ["radius_m=50", "antenna_gain=1", "fading=rayleigh", "shadowing=0"])
def test_options_of_the_channel_model_are_refused(tmp_path: Path, option: str) -> None:
    """An option that a measured channel would silently ignore is an error."""
    path = write(tmp_path / "up.csv", np.ones((2, 3)))
    with pytest.raises(InputError, match=f"{option.partition('=')[0]}: has no effect with a measured channel"):
        load_instance(f"paper:uplink_csv={path},{option}")


def texts(table: np.ndarray) -> list[list[str]]:
    """Return the numbers of a table as text, to the last digit and with a point or an exponent."""
    return [[repr(float(x)) for x in row] for row in table]


NAMES = {
    "plain": lambda rows: rows,
    "index=False": lambda rows: [[str(k) for k in range(len(rows[0]))], *rows],
    "pandas": lambda rows: [["", *map(str, range(len(rows[0])))], *([str(i), *row] for i, row in enumerate(rows))],
    "read and written": lambda rows: [
        ["Unnamed: 0", *map(str, range(len(rows[0])))],
        *([str(i), *row] for i, row in enumerate(rows)),
    ],
    "header=False": lambda rows: [[str(i), *row] for i, row in enumerate(rows)],
    "index_label=False": lambda rows: [
        [str(k) for k in range(len(rows[0]))],
        *([str(i), *row] for i, row in enumerate(rows)),
    ],
    "columns named": lambda rows: [[f"sc{k}" for k in range(len(rows[0]))], *rows],
    "all named": lambda rows: [
        ["client", *(f"f{k}_GHz" for k in range(len(rows[0])))],
        *([f"ue-{i}", *row] for i, row in enumerate(rows)),
    ],
    "clients counted from 1": lambda rows: [
        ["client_id", *(f"k{k + 1}" for k in range(len(rows[0])))],
        *([str(i + 1), *row] for i, row in enumerate(rows)),
    ],
    "clients named": lambda rows: [[f"client {i}", *row] for i, row in enumerate(rows)],
}
"""What pandas, R and people write around the numbers."""

LINEAR = st.floats(SMALLEST_GAIN, 0.9)
DECIBELS = st.floats(-300, -0.001) | st.just(float("-inf"))
SIZES = st.tuples(st.integers(2, 4), st.integers(2, 6))


@settings(max_examples=60)
@given(names=st.sampled_from(sorted(NAMES)), ending=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
def test_names_marks_and_line_ends_change_nothing(csv_path: Path, names: str, ending: str, data: st.DataObject) -> None:
    """Headers, indices, a byte order mark, line ends and quotes leave the instance as it is, its digest included."""
    quantity, numbers = data.draw(st.sampled_from([("gain", LINEAR), ("gain_db", DECIBELS), ("snr_db", DECIBELS)]))
    table = data.draw(arrays(np.float64, SIZES, elements=numbers))
    options = {"uplink_csv": write(csv_path, table), "csv_quantity": quantity}
    plain = generate(**options)
    quote = data.draw(st.sampled_from(["", '"']))
    rows = [",".join(quote + cell + quote for cell in row) for row in NAMES[names](texts(table))]
    mark = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    csv_path.write_bytes(mark + (ending.join(rows) + ending).encode())
    found = generate(**options)
    assert found == plain
    assert found.sha256 == plain.sha256


def test_a_blocked_link_has_no_gain(tmp_path: Path) -> None:
    """In dB, -inf is a gain of 0; among linear numbers it is an error."""
    path = tmp_path / "blocked.csv"
    path.write_text("-90.5,-inf\n-Infinity,-80.5\n", encoding="utf-8")
    for quantity in ("gain_db", "snr_db"):
        gain = generate(uplink_csv=str(path), csv_quantity=quantity).channel.uplink_gain
        assert np.array_equal(gain == 0, [[False, True], [True, False]])
    with pytest.raises(InputError, match=r"line 1, column 1: |line 1, column 2: must be a finite number, got '-inf'"):
        generate(uplink_csv=str(path))


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("97.5,102.1\n98.5,99.5\n", "gain_db", "row 1, column 1: a gain must be below 0 dB, unlike a path loss"),
        ("1e-9,2e-9\n3e-9,4e-9\n", "gain_db", "row 1, column 1: a gain must be below 0 dB"),
        ("-90.5,0\n-91.5,-92.5\n", "gain_db", "row 1, column 2: a gain must be below 0 dB"),
        ("-90.5,-91.5\n", "gain", "row 1, column 1: a gain must not be negative, got -90.5; for dB say csv_quantity"),
        ("-90.5,nan\n", "gain_db", "line 1, column 2: must be a finite number, got 'nan'"),
        ("-90.5,\n", "gain_db", "line 1, column 2: must be a finite number, got ''"),
        ("nan,NA\n-90.5,-91.5\n", "gain_db", "line 1, column 1: must be a finite number, got 'nan'"),
        (",-91.5\n-90.5,-91.5\n", "gain_db", "line 1, column 1: must be a finite number, got ''"),
        ("-1_021.5,-91.5\n", "gain_db", "line 1, column 1: must be a finite number, got '-1_021.5'"),
        ("-90.5 dB,-91.5 dB\n", "gain_db", "line 1, column 1: must be a finite number, got '-90.5 dB'"),
        ("\u221290.5,-91.5\n", "gain_db", "line 1, column 1: must be a finite number, got '\u221290.5'"),
        ("\u0661,\u0662\n", "gain", "line 1, column 1: must be a finite number, got '\u0661'"),
        ("1e-5+2e-6j,3e-6-4e-5j\n1e-9,2e-9\n", "gain", "line 1, column 1: must be a finite number"),
        ("1e-400,1e-9\n", "gain", "line 1, column 1: must be a finite number, got '1e-400'"),
        ("1e-70,1e-9\n", "gain", "row 1, column 1: a gain must be 0 or at least 1e-60, got 1e-70"),
        ("-90.5\t-91.5\n", "gain_db", "got '-90.5\\t-91.5'; cells are separated by commas"),
        ("-90,5;-91,5\n", "gain_db", "line 1, column 2: must be a finite number, got '5;-91'; cells are separated"),
        ("-90.5 -91.5\n", "gain_db", "got '-90.5 -91.5'; cells are separated by commas"),
        ("# gains, in dB\n-90.5,-91.5,-92.5\n", "gain_db", "line 2: has 3 columns, but the first row has 2"),
        ("sep=,\n-90.5,-91.5\n", "gain_db", "line 1, column 1: must be a finite number, got 'sep='"),
        ("client,subchannel,gain_db\n0,0,-90.5\n0,1,-91.5\n", "gain_db", "line 1, column 1: must be a finite number"),
        ("0,0,1e-9\n0,1,2e-9\n1,0,3e-9\n1,1,4e-9\n", "gain", "one value a line; give a row a client"),
        ("28000,28010,28020\n1e-9,2e-9,3e-9\n", "gain", "may be numbers or names (28000, 28010, 28020)"),
        ("2.8e10,2.81e10\n1e-9,2e-9\n", "gain", "row 1: holds gains of 1 and above, far above all others"),
        ("1.5,1e-9\n2.5,2e-9\n", "gain", "column 1: holds gains of 1 and above, far above all others"),
        ("0,1\n1,0\n", "gain", "may be numbers or names (0, 1); write numbers with a point (0.0)"),
        ("0,1e-9,2e-9\n", "gain", "the 0 in front may be a number or a name"),
        ("sc0,sc1\n0,1e-9\n1,2e-9\n", "gain", "'sc0' may stand over gains or over the clients' names"),
        ("client,sc1\n1e-9,2e-9\n", "gain", "'client' may stand over gains or over the clients' names"),
        ("sc0,sc1\n", "gain", "line 1, column 1: must be a finite number, got 'sc0'"),
    ],
)
def test_what_is_no_gain_is_refused(tmp_path: Path, text: str, options: str, words: str) -> None:
    """Losses, linear numbers as dB, other ways to write numbers and unclear names are one line with file and place."""
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_instance(f"paper:uplink_csv={path},csv_quantity={options}")
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_utf_16_is_named(tmp_path: Path) -> None:
    """Text in UTF-16, as a spreadsheet saves it, is refused by name."""
    path = tmp_path / "wide.csv"
    path.write_text("-90.5,-91.5\n", encoding="utf-16")
    with pytest.raises(InputError, match=r"wide\.csv: is not CSV text in UTF-8 but in UTF-16"):
        generate(uplink_csv=str(path))


def test_gains_that_amplify_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Linear gains of 1 and above are taken, since they may be normalised, and counted in a warning; others are not."""
    generate(uplink_csv=write(tmp_path / "up.csv", np.array([[1.5, 0.5], [0.9, 1.0]])))
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'up.csv'}: 2 of 4 gains are 1 (0 dB) or above; are they linear gains?"
    ]
    caplog.clear()
    generate(uplink_csv=write(tmp_path / "up.csv", np.array([[0.5, 0.5], [0.9, 0.9]])))
    assert not caplog.records


def test_more_clients_than_subchannels_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A table with more rows than columns, which no schedule fits, may be transposed, and a warning says so."""
    generate(uplink_csv=write(tmp_path / "up.csv", np.full((3, 2), 0.5)))
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'up.csv'}: has more rows (clients) than columns (subchannels); is it transposed?"
    ]


CELLS = st.sampled_from(
    ["", "0", "1", "2", "-1", "-90.5", "1e-9", "nan", "-inf", "client", "sc0", "9" * 5000, '"', "Unnamed: 0"]
)


@settings(max_examples=100)
@given(rows=st.lists(st.lists(CELLS | st.text(max_size=4), min_size=1, max_size=4), max_size=5), in_db=st.booleans())
def test_any_text_is_a_table_or_one_line(csv_path: Path, rows: list[list[str]], in_db: bool) -> None:
    """Whatever a file holds, it is a table without NaN or the error names it."""
    csv_path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8", errors="replace")
    try:
        table = read_table(str(csv_path), in_db=in_db)
    except InputError as error:
        assert str(error).startswith(f"{csv_path}: ")  # noqa: PT017 (either is right)
    else:
        assert table.ndim == 2
        assert (np.isfinite(table) | (in_db & (table == -np.inf))).all()


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    """A channel may come from a pipe, which can't be read twice."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("1e-9,2e-9\n",))
    writer.start()
    assert np.array_equal(read_table(str(pipe)), [[1e-9, 2e-9]])
    writer.join()
