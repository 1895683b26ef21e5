"""What a schedule means for each client, in Python, CSV and Parquet."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest
from cli_toys import register_toys, round_robin, small_instance

from epsl_opt import InputError, client_rows, read_schedule, round_latency
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toy solvers are registered."""
    register_toys(monkeypatch)


def test_rows_hold_what_a_client_needs(instance_file: str, schedule_file: str) -> None:
    """A client's row has its share of the allocation, the cut, the batch, and deadlines that its own stages meet."""
    instance, schedule = small_instance(), round_robin(small_instance())
    document = read_schedule(schedule_file, instance=instance)
    latency = round_latency(instance, schedule)
    for i, row in enumerate(client_rows(document, instance)):
        held = schedule.subchannel_client == i
        assert (row.client, row.name, row.subchannels) == (i, f"phone-{i}", held.sum())
        assert row.subchannel_indices == tuple(held.nonzero()[0])
        assert row.power_w == pytest.approx(schedule.subchannel_power_w[held].sum(), rel=1e-12)
        assert (row.batch_size, row.cut_layer, row.cut_layer_name) == (8, 0, "early")
        assert row.client_forward_s + row.uplink_s <= row.uplink_deadline_s == latency.uplink_phase_s
        assert row.round_deadline_s == pytest.approx(latency.round_latency_s, rel=1e-12)
        assert row.downlink_s + row.client_backward_s <= latency.downlink_phase_s


def test_reading_for_another_instance_is_refused(schedule_file: str) -> None:
    """From Python as on the command line: one line that names the field, by file and by rows."""
    other = small_instance("other", clients=2)
    with pytest.raises(InputError, match=r"instance\.sha256: is for another instance: 'small' .* not 'other'"):
        read_schedule(schedule_file, instance=other)
    with pytest.raises(InputError, match=r"instance\.sha256: is for another instance"):
        client_rows(read_schedule(schedule_file), other)


@pytest.mark.parametrize("names", [True, False])
def test_parquet_says_what_csv_says(names: bool, instance_file: str, schedule_file: str, tmp_path: Path) -> None:
    """Read back from Parquet, rows of subchannels and of clients equal those of CSV to the last bit."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: the extra `parquet`")
    named = ["--instance", instance_file] if names else []
    for kind in ("", "clients-"):
        files = {form: tmp_path / f"{kind}rows.{form}" for form in ("csv", "parquet")}
        for form, file in files.items():
            assert run(["export", schedule_file, "--to", f"{kind}{form}", "-o", str(file), *named]) == ExitCode.OK
        table = parquet.read_table(files["parquet"])
        rows = [
            {key: " ".join(map(str, v)) if isinstance(v, list) else str(v) for key, v in row.items()}
            for row in table.to_pylist()
        ]
        assert rows == list(csv.DictReader(files["csv"].read_text().splitlines()))
        assert table.schema.metadata[b"epsl-opt.instance.sha256"].decode() == small_instance().sha256


def test_parquet_without_pyarrow_is_one_line(
    schedule_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where pyarrow is missing, the line says what to install, the code is 2, and nothing is written."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    output = tmp_path / "clients.parquet"
    capsys.readouterr()
    assert run(["export", schedule_file, "--to", "clients-parquet", "-o", str(output)]) == ExitCode.BAD_INPUT
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert 'pip install "epsl-opt[parquet]"' in err
    assert not output.exists()


@pytest.mark.parametrize("target", ["parquet", "clients-parquet"])
def test_parquet_is_not_written_to_a_terminal(
    target: str, schedule_file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a file to write to, a binary format is a usage error."""
    capsys.readouterr()
    assert run(["export", schedule_file, "--to", target]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "name a file with -o" in err
