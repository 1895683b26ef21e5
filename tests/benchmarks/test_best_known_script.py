"""`benchmarks/best_known.py` keeps the best of old and new results and refuses what can't be true."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import best_known as script
from epsl_opt import SolutionStatus, StopReason
from epsl_opt.files.json_files import write_record
from epsl_opt.problems import library
from epsl_opt.problems.library import BestKnown, Library, LibraryEntry

NAME = "tiny-c2-m3"

Run = Callable[..., int]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A copy of the library to work on."""
    return Path(shutil.copy(library.PATH, tmp_path / "library.json"))


@pytest.fixture
def run(path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The script, run on one small instance of the copy."""

    def call(*args: str) -> int:
        command = ["best_known.py", "--library", str(path), "--instances", NAME, "--time-limit", "5", *args]
        monkeypatch.setattr("sys.argv", command)
        return int(script.main())

    return call


def entry(path: Path) -> LibraryEntry:
    """Read the instance worked on."""
    return next(one for one in library.read(path).entries if one.name == NAME)


def change(path: Path, **fields: object) -> None:
    """Change fields of the instance worked on."""
    kept: Library = script.with_entry(library.read(path), entry(path).model_copy(update=fields))
    write_record(path, kept)


def test_results_are_kept_and_printed(path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A run fills in the latency found and who found it, touches no other entry, and prints it in the table."""
    change(path, best_known=BestKnown())
    assert run("--solvers", "greedy") == 0
    known = entry(path).best_known
    assert known.latency_solver == "greedy"
    assert f"| {known.latency_s:.6f} | greedy |" in capsys.readouterr().out
    shipped = library.entries()
    assert [new for new in library.read(path).entries if new.name != NAME] == [o for o in shipped if o.name != NAME]


def test_better_results_are_not_overwritten(path: Path, run: Run) -> None:
    """What is already known to be better stays, figure by figure."""
    better = BestKnown(latency_s=1e-3, latency_solver="oracle", bound_s=1e-4, bound_solver="oracle")
    change(path, best_known=better)
    assert run("--solvers", "greedy") == 0
    assert entry(path).best_known == better


def test_a_bound_above_a_latency_is_refused(path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A latency below a known bound is reported, not kept, and the exit status says so."""
    wrong = BestKnown(bound_s=1e6, bound_solver="liar")
    change(path, best_known=wrong)
    assert run("--solvers", "greedy") == 1
    assert entry(path).best_known == wrong
    assert "CONTRADICTION" in capsys.readouterr().err


def test_a_changed_instance_is_refused(path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Results for another instance are not mixed with old ones unless told to forget these."""
    change(path, fingerprint=1.0, best_known=BestKnown(latency_s=1e-3, latency_solver="old"))
    before = path.read_bytes()
    assert run("--solvers", "greedy") == 2
    assert f"library instance {NAME}: fingerprint" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run("--solvers", "greedy", "--forget") == 0
    assert entry(path).best_known.latency_solver == "greedy"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--solvers", "greed"), "solver: unknown name 'greed'; did you mean greedy?"),
        (("--instances", "tiny"), "library instance: unknown name 'tiny'"),
        (("--library", "/no/such/file.json"), "/no/such/file.json: No such file or directory"),
    ],
)
def test_bad_arguments_change_nothing(
    path: Path, run: Run, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], words: str
) -> None:
    """A wrong argument is one line, and the library stays as it is."""
    before = path.read_bytes()
    assert run(*args) == 2
    assert words in capsys.readouterr().err
    assert path.read_bytes() == before


def test_an_interrupted_run_stops_the_script(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during one solver's run ends the script, not only that run."""
    calls: list[str] = []
    interrupted = _result(None, None)
    interrupted.stop_reason = StopReason.INTERRUPTED
    monkeypatch.setattr(script, "solve", lambda instance, solver, limits: calls.append(solver) or interrupted)
    assert run("--solvers", "greedy,bcd") == 130
    assert calls == ["greedy"]


def test_a_rejected_run_leaves_nothing() -> None:
    """The bound of a run whose claims the checker rejected is not kept."""
    rejected = _result(None, 1.0)
    rejected.status = SolutionStatus.REJECTED
    assert script.improved(BestKnown(), rejected) == BestKnown()


figures = st.none() | st.floats(0.1, 10)


def _result(latency_s: float | None, bound_s: float | None) -> SimpleNamespace:
    status = SolutionStatus.NONE if latency_s is None else SolutionStatus.VERIFIED
    stop = StopReason.COMPLETED
    return SimpleNamespace(
        latency_s=latency_s, bound_s=bound_s, status=status, stop_reason=stop, solver="new", solve_s=0.0
    )


@given(figures, figures, figures, figures)
def test_results_never_get_worse(
    latency_s: float | None, bound_s: float | None, new_latency_s: float | None, new_bound_s: float | None
) -> None:
    """Whatever a run brings, the latency kept is the lower, the bound the higher, and a figure is never lost."""
    known = BestKnown(
        latency_s=latency_s,
        latency_solver=latency_s and "old",
        bound_s=bound_s,
        bound_solver=bound_s and "old",
    )
    kept = script.improved(known, _result(new_latency_s, new_bound_s))
    latencies = [x for x in (latency_s, new_latency_s) if x is not None]
    bounds = [x for x in (bound_s, new_bound_s) if x is not None]
    assert kept.latency_s == (pytest.approx(min(latencies)) if latencies else None)
    assert kept.bound_s == (pytest.approx(max(bounds)) if bounds else None)
