"""Text from outside is harmless wherever it is shown: on a terminal, in a table, in a spreadsheet, in a message."""

from __future__ import annotations

import csv
import io
import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from cli_toys import register_toys, small_instance
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epsl_opt import InputError, ScheduleDocument, solve, write_record
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import format_json
from epsl_opt.core.plain_text import one_line, shown
from epsl_opt.files.csv_text import format_csv, original
from epsl_opt.report.plots.style import shorten as label

EVIL = "\u202e\u202d\u2066\u2067\u2069\u200b\u200d\u200e\u200f\u2028\u2029\ufeff\u00ad\u061c\U000e0041"
LETTERS = st.characters(exclude_categories=["Cs", "Cc"])
NAMES = st.text(st.sampled_from(EVIL + "=+-@'[]/:$_ é手") | LETTERS, min_size=1)
TEXTS = st.text(st.one_of(st.sampled_from(EVIL + "\x00\x07\x1b\x7f\x9b\r\n\t"), st.characters()))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toy solvers are registered."""
    register_toys(monkeypatch)


def is_harmless(text: str) -> bool:
    """Return whether a terminal shows a text as it is."""
    return all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text.replace("\n", ""))


@given(TEXTS)
def test_one_line_is_one_harmless_line(text: str) -> None:
    """Whatever a text holds, it is shown on one line without a character that a terminal obeys or nobody sees."""
    assert is_harmless(one_line(text))
    assert "\n" not in one_line(text)
    assert one_line(one_line(text)) == one_line(text)
    assert text != "".join(filter(str.isprintable, text)) or one_line(text) == text


@given(JSON, st.integers(10, 100))
@example(10**5000, 10)
@example("x" * 10**6, 60)
@example([[["x" * 10**5] * 10] * 10] * 10, 60)
def test_a_quoted_value_is_short(value: Any, limit: int) -> None:
    """Values of any size and depth are quoted in a few characters."""
    assert len(shown(value, limit)) <= limit


@settings(max_examples=8)
@given(NAMES, st.sampled_from(["name", "clients", "cut_layers"]))
@example("[/red]", "name")
@example("$\\frac$", "name")
@example("=cmd|' /C calc'!A0", "clients")
def test_names_reach_no_terminal_as_they_are(tmp_path_factory: pytest.TempPathFactory, name: str, place: str) -> None:
    """Every command's tables, CSV, JSON and messages show a name from a file without what a terminal obeys."""
    name = name[:150]
    folder = tmp_path_factory.mktemp("names")
    write_record(folder / "i.json", named(name, place))
    commands = [["show", "i.json"], ["solve", "i.json", "-s", "steady", "-o", "s.json"], ["check", "i.json", "s.json"]]
    commands += [["export", "s.json", "--to", "clients-csv", "--instance", "i.json"], ["show", "s.json"]]
    commands += [["compare", "i.json", "--solvers", "steady"], ["solve", "i.json", "-s", "empty"]]
    commands += [[*commands[number], "-f", form] for number in (0, 2) for form in ("csv", "json")]
    for command in commands:
        out, err = called([str(folder / part) if part.endswith(".json") else part for part in command])
        assert is_harmless(out)
        assert is_harmless(err)
    read = parse_record(Instance, json.loads((folder / "i.json").read_text()), "i.json")
    assert read == named(name, place)


def named(name: str, place: str) -> Instance:
    """Return a small instance with a name of the instance, a client or a cut layer replaced."""
    instance = small_instance()
    if place == "name":
        return instance.replace(name=name)
    if place == "clients":
        first, *others = instance.clients
        return instance.replace(clients=(first.model_copy(update={"name": name}), *others))
    first_cut, *later = instance.model.cut_layers
    cuts = (first_cut.model_copy(update={"name": name}), *later)
    return instance.replace(model=instance.model.model_copy(update={"cut_layers": cuts}))


def called(arguments: list[str]) -> tuple[str, str]:
    """Run a command and return what it printed."""
    with pytest.MonkeyPatch.context() as patch:
        out, err = io.StringIO(), io.StringIO()
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", err)
        assert run(arguments) in (ExitCode.OK, ExitCode.NO_SCHEDULE)
    return out.getvalue(), err.getvalue()


@given(TEXTS.filter(lambda text: text.isascii() or max(text) < "\ud800"))
@example("\x1b[2J\x1b]0;title\x07\x9b31m")
def test_messages_of_a_schedule_file_reach_no_terminal(tmp_path_factory: pytest.TempPathFactory, message: str) -> None:
    """`show` is safe from what a schedule file says of its solve."""
    path = tmp_path_factory.mktemp("message") / "s.json"
    result = solve(small_instance(), "steady")
    document = ScheduleDocument.from_result(small_instance(), result).to_document()
    document["provenance"]["message"] = message
    path.write_text(json.dumps(document))
    out, _ = called(["show", str(path)])
    assert is_harmless(out)


@given(TEXTS)
def test_json_is_harmless_and_faithful(text: str) -> None:
    """JSON on a terminal shows nothing that it obeys, and reads back to the very text."""
    written = format_json({"name": text, text: [text]})
    assert is_harmless(written)
    assert json.loads(written) == {"name": text, text: [text]}


@given(TEXTS | st.text("'=+-@\t\r1.e", max_size=6))
@example("=1+1")
@example("'=1")
@example("\uff1d1+1")
@example("-2+3+cmd|' /C calc'!A0")
def test_no_spreadsheet_runs_a_cell(text: str) -> None:
    """A text cell never starts like a formula unless it is a plain number, and reads back; numbers are untouched."""
    cell, number = next_row(text)
    assert number == "-1.5"
    assert original(cell) == one_line(text)
    assert cell[:1] not in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") or len(cell) == 1 or math.isfinite(float(cell))


def next_row(text: str) -> list[str]:
    """Return the only row of a CSV text with this cell and a negative number."""
    return list(csv.reader(io.StringIO(format_csv(["a", "b"], [{"a": text, "b": -1.5}]))))[1]


@given(TEXTS, st.integers(1, 40))
def test_labels_in_pictures_are_short_and_harmless(name: str, limit: int) -> None:
    """A name in a picture has only characters that can be drawn, and as many as there is room for."""
    assert is_harmless(label(name, limit))
    assert len(label(name, limit)) <= limit


@given(st.text(min_size=1), st.text(), st.text())
def test_errors_are_one_short_line(source: str, problem: str, field: str) -> None:
    """An error is one line of bounded length, however much of a file it names."""
    line = str(InputError(source * 3000, problem * 3000, field))
    assert is_harmless(line)
    assert "\n" not in line
    assert len(line) <= 2000


@pytest.mark.parametrize(("field", "value"), [("format", "x" * 10**6), ("version", "9" * 10**6), ("x" * 10**6, 1)])
def test_long_values_are_cut(field: str, value: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A value or key of a megabyte is told in a line that one can read."""
    path = tmp_path / "long.json"
    path.write_text(json.dumps(small_instance().to_document() | {field: value}))
    assert run(["show", str(path)]) == ExitCode.BAD_INPUT
    assert len(capsys.readouterr().err) < 400
