"""Files: strict in, whole or not at all out."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from strategies import instances_with_schedules, schedule_document, small_instance

from epsl_opt import InputError, Instance, Schedule, read_instance, read_schedule, write_record
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import format_json
from epsl_opt.files.writing import write_bytes

Document = dict[str, Any]


def refusal(path: str | Path, read: Callable[[str | Path], Any] = read_instance) -> str:
    """The one line that a file is refused with, without the file's name."""
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def save(path: Path, content: str | bytes | Document) -> Path:
    """Write a file as somebody else's program might."""
    if isinstance(content, dict):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def edited(edit: Callable[[Document], object]) -> Document:
    """A valid instance document after `edit`."""
    document: Document = json.loads(format_json(small_instance().to_document()))
    edit(document)
    return document


@given(instances_with_schedules())
def test_records_survive_the_trip_through_a_file(case: tuple[Instance, Schedule]) -> None:
    """What was written reads back equal, to the last bit of every number, with the same digest."""
    instance, schedule = case
    document = schedule_document(instance, schedule)
    for record in (instance, document):
        again = parse_record(type(record), json.loads(format_json(record.to_document())), "memory")
        assert again == record
        assert again.content_sha256 == record.content_sha256
        assert again.to_document() == record.to_document()


UNREADABLE: list[tuple[str | bytes, str]] = [
    (b"", "is not JSON: Expecting value"),
    ("not json", "is not JSON: Expecting value at line 1 column 1"),
    ('{"format": "epsl-opt/instance", "version"', "is not JSON: "),
    (b"\xff\xfe\x00", "is not UTF-8 text"),
    ("[1, 2]", "must be a JSON object, is an array"),
    ("null", "must be a JSON object, is null"),
    ("3", "must be a JSON object, is a number"),
    ("[" * 100_000, "is nested too deeply"),
    ('{"format": 1, "format": 2}', "field 'format' is given twice"),
    ("{}", "format: missing field (expected 'epsl-opt/instance')"),
    ('{"version": ' + "9" * 5000 + "}", "Exceeds the limit"),
]


@pytest.mark.parametrize(("content", "problem"), UNREADABLE, ids=[problem for _, problem in UNREADABLE])
def test_what_is_no_document_is_refused(tmp_path: Path, content: str | bytes, problem: str) -> None:
    """Empty, garbled, truncated, binary, too deep or ambiguous files are refused with a line that says which."""
    assert refusal(save(tmp_path / "bad.json", content)).startswith(problem)


def put(*path: str | int, value: Any) -> Callable[[Document], object]:
    """Return an edit that sets the field at `path`."""

    def edit(document: Document) -> None:
        node: Any = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value

    return edit


WRONG: list[tuple[Callable[[Document], object], str]] = [
    (put("version", value=2), "version: must be 1, got 2"),
    (put("version", value=True), "version: must be 1, got True"),
    (put("format", value="epsl-opt/schedule"), "format: must be 'epsl-opt/instance', got 'epsl-opt/schedule'"),
    (put("colour", value="red"), "colour: unknown field"),
    (put("clients", 1, "colour", value="red"), "clients[1].colour: unknown field"),
    (lambda d: d.pop("server"), "server: missing field"),
    (lambda d: d["clients"][1].pop("samples"), "clients[1].samples: missing field"),
    (put("clients", value=[]), "clients: must not be empty"),
    (put("clients", value={}), "clients: "),
    (put("clients", 0, "max_power_w", value=-1.5), "clients[0].max_power_w: input should be greater than 0, got -1.5"),
    (put("clients", 0, "max_power_w", value=0), "clients[0].max_power_w: input should be greater than 0, got 0"),
    (put("clients", 0, "max_power_w", value=True), "clients[0].max_power_w: input should be a valid number, got True"),
    (put("clients", 0, "max_power_w", value="1"), "clients[0].max_power_w: input should be a valid number, got '1'"),
    (put("clients", 0, "max_power_w", value=math.nan), "clients[0].max_power_w: "),
    (put("clients", 0, "max_power_w", value=math.inf), "clients[0].max_power_w: input should be a finite number"),
    (put("clients", 0, "samples", value=2.5), "clients[0].samples: "),
    (put("clients", 0, "samples", value=10**400), "clients[0].samples: "),
    (put("clients", 0, "cycles_per_s", value=10**400), "clients[0].cycles_per_s: "),
    (put("clients", 0, "name", value="a\nb"), "clients[0].name: "),
    (put("clients", 0, "name", value="\ud800"), "clients[0].name: "),
    (put("training", "batch_size", value=True), "training.batch_size: input should be a valid integer, got True"),
    (put("training", "batch_size", value=0), "training.batch_size: "),
    (put("training", "aggregation_ratio", value=1.01), "training.aggregation_ratio: "),
    (put("channel", "uplink_gain", 1, 2, value=math.nan), "channel.uplink_gain: entry [1][2] must be finite, got nan"),
    (put("channel", "uplink_gain", 0, 1, value=math.inf), "channel.uplink_gain: entry [0][1] must be finite, got inf"),
    (put("channel", "uplink_gain", 0, 1, value=-1.0), "channel.uplink_gain: entry [0][1] must not be negative"),
    (put("channel", "uplink_gain", 0, 1, value=True), "channel.uplink_gain: must hold numbers only"),
    (put("channel", "uplink_gain", 0, 1, value="1"), "channel.uplink_gain: must hold numbers only"),
    (put("channel", "uplink_gain", 0, 1, value=None), "channel.uplink_gain: must hold numbers only"),
    (put("channel", "uplink_gain", 0, 1, value=10**400), "channel.uplink_gain: must hold numbers only"),
    (put("channel", "uplink_gain", 1, value=[1.0]), "channel.uplink_gain: rows have different lengths"),
    (put("channel", "uplink_gain", value=[1.0, 2.0]), "channel.uplink_gain: must be a list of rows of numbers"),
    (put("channel", "uplink_gain", value=[]), "channel.uplink_gain: must not be empty"),
    (put("channel", "uplink_gain", value=[[1.0] * 3]), "channel.uplink_gain: has 1 rows, but there are 2 clients"),
    (put("channel", "downlink_gain", value=[[1.0] * 2] * 2), "channel.downlink_gain: has rows of 2, but there are 3"),
    (put("subchannels", "bandwidth_hz", 0, value=0), "subchannels.bandwidth_hz: entry [0] must be greater than 0"),
    (put("subchannels", "bandwidth_hz", value=[[1.0]]), "subchannels.bandwidth_hz: must be a list of numbers"),
    (put("subchannels", "center_frequency_hz", value=[1.0]), "subchannels.center_frequency_hz: has 1 entries"),
    (put("model", "cut_layers", value=[]), "model.cut_layers: "),
    (
        put("model", "cut_layers", 0, "client_forward_flops", value=1e9),
        "model.cut_layers[0].client_forward_flops: ",
    ),
    (put("model", "cut_layers", 1, "client_backward_flops", value=2e8), "model.cut_layers[1].client_backward_flops: "),
    (put("model", "cut_layers", 1, "client_parameter_bits", value=1e9), "model.cut_layers[1].client_parameter_bits: "),
    (put("origin", value={"seed": math.nan}), "origin: "),
    (put("origin", value={"\ud800": 1}), "origin: "),
    (put("origin", value=json.loads('{"a":' * 300 + "1" + "}" * 300)), "origin: is nested too deeply"),
]


@pytest.mark.parametrize(("edit", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_a_wrong_field_is_refused_by_its_name(tmp_path: Path, edit: Callable[[Document], object], problem: str) -> None:
    """One wrong field anywhere is refused with a line that names the file, the field and what is wrong."""
    assert refusal(save(tmp_path / "wrong.json", edited(edit))).startswith(problem)


def test_names_cannot_smuggle_line_breaks_into_messages(tmp_path: Path) -> None:
    """A field whose name holds line breaks or escape codes is shown escaped, on one line."""
    document = edited(put("evil\n\x1b[31m", value=1))
    assert refusal(save(tmp_path / "evil.json", document)) == "evil\\n\\x1b[31m: unknown field"


def test_several_wrong_fields_are_counted(tmp_path: Path) -> None:
    """The first wrong field is named, and how many more there are is said."""
    document = edited(lambda d: (d.pop("server"), d.pop("model"), d.pop("training")))
    assert refusal(save(tmp_path / "wrong.json", document)) == "server: missing field (and 2 more)"


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    """A file that is not there, or a folder in its place, is one line in the system's words."""
    assert refusal(tmp_path / "absent.json") == "No such file or directory"
    assert refusal(tmp_path) == "Is a directory"


def test_standard_input_is_called_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads standard input, and messages call it that."""
    monkeypatch.setattr("sys.stdin", io.StringIO(format_json(small_instance().to_document())))
    assert read_instance("-") == small_instance()
    monkeypatch.setattr("sys.stdin", io.StringIO("{"))
    with pytest.raises(InputError, match=r"^standard input: is not JSON"):
        read_instance("-")


BAD_SCHEDULES: list[tuple[Callable[[Document], object], str]] = [
    (put("subchannel_power_w", 0, value=-1.0), "subchannel_power_w: entry [0] must not be negative"),
    (put("subchannel_client", 0, value=True), "subchannel_client[0]"),
    (put("subchannel_client", 0, value=-1), "subchannel_client[0]"),
    (put("subchannel_client", 0, value=10**30), "subchannel_client[0]"),
    (put("stop_reason", value="tired"), "stop_reason: "),
    (put("latency_s", value=None), "latency_s: must be given when status is verified"),
    (put("status", value="none"), "cut_layer: must be null when status is none"),
    (put("status", value="perhaps"), "status: "),
    (put("instance", "sha256", value="abc"), "instance.sha256: "),
    (lambda d: d["instance"].pop("sha256"), "instance.sha256: missing field"),
    (put("provenance", value={"x": math.inf}), "provenance: "),
]


@pytest.mark.parametrize(("edit", "problem"), BAD_SCHEDULES, ids=[problem for _, problem in BAD_SCHEDULES])
def test_a_wrong_schedule_file_is_refused_by_its_field(
    tmp_path: Path, edit: Callable[[Document], object], problem: str
) -> None:
    """Schedule files are read as strictly as instances, and status and content must agree."""
    document = schedule_document(small_instance(), Schedule(0, [0, 1, 0], [1, 1, 0.2])).to_document()
    document = json.loads(format_json(document))
    edit(document)
    assert refusal(save(tmp_path / "schedule.json", document), read_schedule).startswith(problem)


def test_written_files_read_back(tmp_path: Path) -> None:
    """An instance and a schedule written to disk are equal to what is read from there."""
    instance = small_instance()
    document = schedule_document(instance, Schedule(0, [0, 1, -1], [1, 1, 0]))
    write_record(tmp_path / "instance.json", instance)
    write_record(tmp_path / "schedule.json", document)
    assert read_instance(tmp_path / "instance.json") == instance
    assert read_schedule(tmp_path / "schedule.json") == document


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    """When writing fails midway the old content is still there, no temporary file is, and the file is named."""
    target = save(tmp_path / "result.json", "old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, fail)
    with pytest.raises(InputError, match=r"result\.json: No space left on device"):
        write_bytes(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while writing leaves the old content and no temporary file."""
    target = save(tmp_path / "result.json", "old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """Writing into nowhere is one line that names the file."""
    with pytest.raises(InputError, match=r"nowhere/x\.json: No such file or directory"):
        write_bytes(tmp_path / "nowhere" / "x.json", b"new")


def test_the_mode_of_a_file_is_kept(tmp_path: Path) -> None:
    """A replaced file keeps its permissions, and a new one gets those any new file gets."""
    shared = save(tmp_path / "shared.json", "old")
    shared.chmod(0o640)
    write_bytes(shared, b"new")
    assert shared.stat().st_mode & 0o777 == 0o640
    write_bytes(tmp_path / "fresh.json", b"new")
    plain = save(tmp_path / "plain.json", "new")
    assert (tmp_path / "fresh.json").stat().st_mode == plain.stat().st_mode
