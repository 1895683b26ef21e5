"""The example that trains from a schedule file alone computes what the backend computes, and refuses bad files."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from epsl_opt import load_instance, solve, write_record
from epsl_opt.files.documents import ScheduleDocument

EXAMPLE = Path(__file__).parents[2] / "examples" / "plain_pytorch.py"
pytest.importorskip("torch", reason="torch is not installed: the extra `train`")


@pytest.fixture(scope="module")
def document() -> ScheduleDocument:
    """A schedule of the paper's scenario, made here."""
    instance = load_instance("paper:clients=3,subchannels=6,seed=2,batch_size=16,aggregation_ratio=0.3")
    return ScheduleDocument.from_result(instance, solve(instance, "greedy"))


@pytest.fixture(scope="module")
def example() -> Any:
    """The example as a module."""
    spec = spec_from_file_location("plain_pytorch", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusal(path: Path, example: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line with which the example refuses a file."""
    monkeypatch.setattr(sys, "argv", ["plain_pytorch.py", str(path)])
    with pytest.raises(SystemExit) as stop:
        example.main()
    out, err = capsys.readouterr()
    assert (stop.value.code, out, err.count("\n")) == (2, "", 1)
    assert f"{path}: " in err
    return str(err)


def test_it_learns_on_the_clock_of_the_schedule(document: ScheduleDocument, tmp_path: Path) -> None:
    """The loss falls to less than half, and each round adds the round latency of the file to the simulated time."""
    write_record(tmp_path / "schedule.json", document)
    command = [sys.executable, "-W", "error", str(EXAMPLE), str(tmp_path / "schedule.json"), "25"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [(float(a), float(b)) for a, b in re.findall(r"loss ([\d.]+) after ([\d.]+) s", done.stdout)]
    assert len(rows) == 25
    assert rows[-1][0] < rows[0][0] / 2
    assert document.latency_s is not None
    assert [time for _, time in rows] == pytest.approx([document.latency_s * k for k in range(1, 26)], abs=1e-4)


def test_it_reads_what_the_schedule_says(document: ScheduleDocument, example: Any, tmp_path: Path) -> None:
    """Clients, batch size, ceil(phi b) and cut layer come from the file, the round's seconds from its stages."""
    write_record(tmp_path / "schedule.json", document)
    C, b, m, cut, round_s = example.read(tmp_path / "schedule.json")
    assert document.cut_layer is not None
    assert (C, b, m, cut) == (3, 16, 5, document.cut_layer.index)
    assert round_s == pytest.approx(document.latency_s, rel=1e-12)


@pytest.mark.parametrize("m", [0, 3, 8])
def test_its_round_is_the_backends(m: int, example: Any) -> None:
    """Loss and all gradients of a round are those of the torch backend, however many samples are aggregated."""
    import torch
    from torch import nn

    from epsl_opt.backends.pytorch.aggregation import mean_activation
    from epsl_opt.backends.pytorch.split_step import LocalClientSides, split_step

    torch.manual_seed(m)
    make: list[Callable[[], nn.Sequential]] = [
        lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh()),
        lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 10)),
    ]
    clients, server = [make[0]() for _ in range(4)], make[1]()
    x, y = torch.randn(4, 8, 6), torch.randint(10, (4, 8))
    ours = nn.ModuleList([*copy.deepcopy(clients), copy.deepcopy(server)])
    step = split_step(LocalClientSides(clients, x, y), server, torch.full((4,), 0.25), m, mean_activation)
    assert example.epsl_round(ours[:-1], ours[-1], x, y, m) == pytest.approx(float(step.loss), rel=1e-5)
    for mine, theirs in zip(ours.parameters(), nn.ModuleList([*clients, server]).parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(format="epsl-opt/instance"), "is no epsl-opt/schedule file"),
        (lambda d: d.update(version=2), "is no epsl-opt/schedule file"),
        (lambda d: d.update(status="none"), "holds no schedule: none"),
        (lambda d: d.pop("stages"), "lacks the field 'stages'"),
        (lambda d: d["stages"].pop("downlink_s"), "lacks the field 'downlink_s'"),
        (lambda d: d["stages"]["uplink_s"].append(1.0), "zip() argument 2 is longer"),
        (lambda d: d.update(latency_s=1e-3), "but latency_s is 0.001"),
        (lambda d: d.update(latency_s=float("nan")), "but latency_s is nan"),
        (lambda d: d.update(batch_size=0), "is out of its range"),
        (lambda d: d.update(cut_layer=None), "not subscriptable"),
    ],
)
def test_a_malformed_schedule_is_one_line(
    change: Callable[[dict[str, Any]], object],
    words: str,
    document: ScheduleDocument,
    example: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever is wrong with the file: exit code 2, one line that names it, nothing trained."""
    data = json.loads(json.dumps(document.to_document()))
    change(data)
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(data))
    assert words in refusal(path, example, monkeypatch, capsys)


@pytest.mark.parametrize("content", [None, "{", "[]", "\x00"])
def test_what_is_no_schedule_is_one_line(
    content: str | None,
    example: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A missing file, and one that is no JSON object, end the example with code 2 and one line."""
    path = tmp_path / "bad.json"
    if content is not None:
        path.write_text(content)
    assert refusal(path, example, monkeypatch, capsys).startswith("plain_pytorch.py: error: ")


def test_it_needs_nothing_of_this_package() -> None:
    """The example imports the standard library and torch, no epsl_opt."""
    modules = {name.partition(".")[0] for name in re.findall(r"^(?:import|from) ([\w.]+)", EXAMPLE.read_text(), re.M)}
    assert modules - set(sys.stdlib_module_names) == {"torch"}
