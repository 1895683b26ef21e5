"""The campaign's own judgement: every kind of fault is seen where there is one."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from campaign.command import Outcome, Surroundings, run_command
from campaign.faults import Fault, FaultKind
from campaign.judging import command_faults
from campaign.likeness import differences
from campaign.mutations import mutated
from campaign.part import Part, Trial, generator
from campaign.summary import faults_table
from campaign.tiny_part import claim_faults
from campaign.tree import broken, is_whole, leftovers, lost
from campaign.worker import try_one


def outcome(code: int | None = 0, stdout: str = "", stderr: str = "", **others: Any) -> Outcome:
    """Return the end of `epsl-opt show x -f json` at a terminal."""
    given: dict[str, Any] = {
        "arguments": ("show", "x", "-f", "json"),
        "around": Surroundings(terminal=True),
        "warnings": (),
        "escaped": "",
        "elapsed_s": 0.0,
    }
    return Outcome(**given | {"code": code, "stdout": stdout, "stderr": stderr} | others)


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (outcome(1, stderr="epsl-opt: error: unexpected ValueError"), FaultKind.EXIT_1),
        (outcome(9), FaultKind.EXIT_CODE),
        (outcome(2, stderr="Traceback (most recent call last)\nepsl-opt: error: x"), FaultKind.TRACEBACK),
        (outcome(0, "{}", warnings=("RuntimeWarning: x",)), FaultKind.WARNING),
        (outcome(0, "{}", stderr="epsl-opt: wrote \u202e"), FaultKind.CONTROL_CHARACTERS),
        (outcome(0, '"\x1b"'), FaultKind.CONTROL_CHARACTERS),
        (outcome(2, stderr="what?"), FaultKind.ERROR_LINE),
        (outcome(2, stderr="epsl-opt: " + "x" * 3000), FaultKind.ERROR_LINE),
        (outcome(0, '{"a": NaN}'), FaultKind.BROKEN_OUTPUT),
        (outcome(None, escaped="ValueError: x"), FaultKind.EXCEPTION),
        (outcome(None, escaped="NoEnd: "), FaultKind.HANGS),
    ],
)
def test_a_bad_end_of_a_command_is_seen(end: Outcome, kind: FaultKind) -> None:
    """Exit codes, tracebacks, warnings, unreadable and unsafe text are seen as what they are."""
    assert kind in {fault.kind for fault in command_faults(end)}


@pytest.mark.parametrize(
    "end",
    [
        outcome(0, '{"a": 1}\n'),
        outcome(0, '{"a": 1}\n{"a": 2}\n'),
        outcome(2, stderr="epsl-opt: error: x.json: name: must not be empty"),
        outcome(3, stderr="epsl-opt: no schedule"),
        outcome(1, stderr="epsl-opt: training diverged in round 1, server forward: a value is not finite"),
        outcome(0, "\x1b", around=Surroundings(), arguments=("show", "x")),
    ],
)
def test_a_good_end_of_a_command_is_no_fault(end: Outcome) -> None:
    """What the documentation promises is no fault."""
    assert list(command_faults(end)) == []


def claims(status: str, stop: str, latency_s: float | None = None, bound_s: float | None = None) -> dict[str, Any]:
    """Return what a schedule document claims."""
    provenance = {"message": "x"}
    return {
        "status": status,
        "stop_reason": stop,
        "latency_s": latency_s,
        "bound_s": bound_s,
        "provenance": provenance,
    }


@pytest.mark.parametrize(
    ("claimed", "optimum_s", "kind"),
    [
        (claims("verified", "optimal_proved", 1.1, 1.0), 1.0, FaultKind.FALSE_OPTIMUM),
        (claims("verified", "gap_reached", 1.1, 1.1), 1.0, FaultKind.FALSE_OPTIMUM),
        (claims("verified", "time_limit", 1.1, 1.01), 1.0, FaultKind.FALSE_BOUND),
        (claims("verified", "completed", 0.9), 1.0, FaultKind.IMPOSSIBLE),
        (claims("verified", "completed", 0.9), math.inf, FaultKind.IMPOSSIBLE),
        (claims("none", "infeasible_proved"), 1.0, FaultKind.FALSE_INFEASIBILITY),
        (claims("none", "completed"), 1.0, FaultKind.NO_SCHEDULE),
        (claims("none", "error"), 1.0, FaultKind.EXCEPTION),
        (claims("rejected", "completed"), 1.0, FaultKind.REJECTED),
        (claims("verified", "time_limit", 1.0, 0.5), 1.0, FaultKind.NOT_FINISHED),
    ],
)
def test_a_false_claim_is_seen(claimed: dict[str, Any], optimum_s: float, kind: FaultKind) -> None:
    """A claim that the optimum refutes is a fault of its kind."""
    assert kind in {found for found, _ in claim_faults("exact", claimed, optimum_s, 1e-4)}


@pytest.mark.parametrize(
    ("solver", "claimed", "optimum_s"),
    [
        ("exact", claims("verified", "gap_reached", 1.00009, 1.0), 1.0),
        ("exact", claims("none", "infeasible_proved"), math.inf),
        ("greedy", claims("verified", "completed", 7.0), 1.0),
        ("greedy", claims("none", "completed"), math.inf),
        ("pyomo", claims("verified", "time_limit", 1.1, 0.9), 1.0),
    ],
)
def test_a_true_claim_is_no_fault(solver: str, claimed: dict[str, Any], optimum_s: float) -> None:
    """A claim that holds is no fault, however weak."""
    assert list(claim_faults(solver, claimed, optimum_s, 1e-4)) == []


def test_a_changed_folder_is_seen() -> None:
    """Files that have gone or changed, temporary files and half ones are seen."""
    before = {"a.json": b"{}", "b.csv": b"x\n"}
    after = {"a.json": b'{"a"', ".a.json.xyz": b""}
    assert [fault.kind for fault in lost(before, after, "")] == [FaultKind.LOST] * 2
    assert [fault.detail for fault in leftovers(before, after, "")] == [".a.json.xyz"]
    assert [fault.kind for fault in broken(before, {"a.json": b'{"a"'}, "")] == [FaultKind.BROKEN_OUTPUT]


@pytest.mark.parametrize(("suffix", "whole"), [(".json", b"{}"), (".csv", b"a,b\n1,2\n"), (".svg", b"<svg></svg>\n")])
def test_a_whole_file_is_whole_and_half_of_it_is_not(suffix: str, whole: bytes) -> None:
    """A file of a format that has an end is not whole without it."""
    assert is_whole(whole, suffix)
    assert not is_whole(whole[: len(whole) - 2], suffix)


def test_folders_are_alike_apart_from_times() -> None:
    """Times may differ from run to run; results and files may not."""
    one = {"a.json": b'{"solve_s": 1.0, "latency_s": 2.0}', "b.csv": b"x,real_time_s\n1,2\n"}
    other = {"a.json": b'{"solve_s": 1.5, "latency_s": 2.5}', "b.csv": b"x,real_time_s\n1,3\n", "c": b""}
    assert differences(one, other) == {"a.json: .latency_s", "c"}


def test_inputs_are_repeatable() -> None:
    """Part, seed and number alone decide an input."""
    content = b'{"a": 1, "b": [1, 2]}'
    made = [mutated(generator("files", 3, number), content, ".json") for number in range(50)]
    again = [mutated(generator("files", 3, number), content, ".json") for number in range(50)]
    assert made == again
    assert len(set(made)) > 30


def test_a_command_leaves_the_process_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    """What a command writes, to streams or descriptors, is in its outcome and nowhere else."""
    end = run_command(["info"], around=Surroundings(terminal=True))
    os.write(1, b"still here\n")
    assert (end.code, end.escaped) == (0, "")
    assert "epsl-opt" in end.stdout
    assert capfd.readouterr().out == "still here\n"


class Raises(Part):
    """Fails, and leaves a file."""

    name = "raises"

    def attempt(self, trial: Trial) -> list[Fault]:
        """Fail."""
        Path("input").write_text("x")
        raise ZeroDivisionError("nothing to divide")


def test_an_exception_is_a_fault_and_its_input_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What raises is a fault, and its folder is kept for study."""
    monkeypatch.chdir(tmp_path)
    (fault,) = try_one(Raises(), 0, 5, tmp_path, tmp_path / "kept")
    assert fault.kind is FaultKind.EXCEPTION
    assert (tmp_path / "kept" / "raises-0-5" / "input").read_text() == "x"
    assert "ZeroDivisionError" in (tmp_path / "kept" / "raises-0-5" / "FAULTS").read_text()


def test_drawn_inputs_differ() -> None:
    """Different numbers give different random numbers."""
    assert len({float(generator("tiny", 0, number).uniform()) for number in range(100)}) == 100
    assert generator("tiny", 0, 1).uniform() != generator("files", 0, 1).uniform()
    assert isinstance(generator("tiny", 0, 1), np.random.Generator)


def test_the_page_lists_what_counts_as_a_fault() -> None:
    """docs/reliability.md has the present list of faults."""
    page = Path(__file__).parents[2] / "docs" / "reliability.md"
    assert faults_table() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_text_in_a_poor_encoding_is_no_fault(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stream writes in its encoding is read back in it."""
    monkeypatch.chdir(tmp_path)
    end = run_command(["show", "né"], around=Surroundings(encoding=encoding))
    assert end.code == 2
    assert list(command_faults(end)) == []
