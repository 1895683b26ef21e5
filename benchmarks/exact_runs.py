"""Runs of the speed comparison: each in a process of its own, one at a time, kept as a JSON file."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.counted_nodes import counted_nodes
from benchmarks.scale import peak_mib
from epsl_opt import InputError, Limits, load_instance, solve
from epsl_opt.core.json_text import format_json, read_json
from epsl_opt.files.writing import write_bytes
from epsl_opt.plugins.registry import load_solver

ROOT = Path(__file__).parents[1]

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

GRACE_S = 60.0
"""A run that is so much later than its time limit is ended from outside."""


@dataclass(frozen=True)
class Run:
    """What is asked for: an instance as `load_instance` takes it, a contender, and limits."""

    instance: str
    solver: str
    time_limit_s: float
    rel_gap: float
    threads: int = 1

    @property
    def file_name(self) -> str:
        """Name of the file the run is kept in."""
        spec = self.instance.replace(":", "-").replace(",", "-").replace("=", "")
        threads = "" if self.threads == 1 else f"--{self.threads}threads"
        return f"{spec}--{self.solver}--{self.time_limit_s:g}s--{self.rel_gap:g}{threads}.json"


@dataclass(frozen=True)
class Outcome:
    """What a run left behind; `trace` holds (elapsed_s, latency_s, bound_s), None where nothing is known yet."""

    run: Run
    status: str
    stop_reason: str
    message: str
    latency_s: float | None
    bound_s: float | None
    gap: float | None
    time_s: float
    peak_mib: float
    trace: list[tuple[float, float | None, float | None]]

    def time_to_gap_s(self, gap: float) -> float:
        """Seconds until incumbent and bound were within `gap` of each other; inf if they never were."""
        for elapsed, latency, bound in self.trace:
            if latency is not None and bound is not None and latency - bound <= gap * latency:
                return elapsed
        return math.inf


class Bench:
    """Makes runs, or takes them from the folder where they were kept."""

    def __init__(self, folder: Path, again: Sequence[str] = ()) -> None:
        self._folder, self._again = folder, again

    def outcomes(self, runs: Sequence[Run]) -> list[Outcome]:
        """Make all runs that are not kept yet, one after the other."""
        return [self._outcome(run) for run in runs]

    def _outcome(self, run: Run) -> Outcome:
        path = self._folder / run.file_name
        if path.exists() and run.solver not in self._again:
            return parse(read_json(path))
        print(f"{run.instance} {run.solver}", file=sys.stderr, flush=True)
        outcome = run_apart(run)
        if outcome.stop_reason != "error":
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, format_json(asdict(outcome)).encode())
        return outcome


def run_apart(run: Run) -> Outcome:
    """Make a run in a process of its own, so that a crash or a leak stays there and peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.exact_runs", json.dumps(asdict(run))]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            check=False,
            capture_output=True,
            encoding="utf-8",
            timeout=run.time_limit_s + GRACE_S,
            env=os.environ | ONE_THREAD,
        )
    except subprocess.TimeoutExpired:
        return _failed(run, "killed", f"still running {GRACE_S:g} s after its time limit")
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return _failed(run, "error", last[0])
    return parse(json.loads(done.stdout.splitlines()[-1]))


def run_here(run: Run) -> Outcome:
    """Make a run in this process; a solver that is no contender is one that is registered."""
    contender = CONTENDERS.get(run.solver) or Contender(partial(load_solver, run.solver), "")
    try:
        solver = contender.make()
    except (ImportError, InputError) as error:
        return _failed(run, "unsupported", str(error))
    limits = Limits(time_s=run.time_limit_s, rel_gap=run.rel_gap, threads=run.threads)
    with counted_nodes() as batches:
        result = solve(load_instance(run.instance), solver, limits, contender.options)
    return Outcome(
        run=run,
        status=str(result.status),
        stop_reason=str(result.stop_reason),
        message=result.message or (f"{sum(batches)} nodes" if batches else ""),
        latency_s=result.latency_s,
        bound_s=result.bound_s,
        gap=result.gap,
        time_s=result.build_s + result.solve_s,
        peak_mib=peak_mib(),
        trace=[(point.elapsed_s, point.latency_s, _finite(point.bound_s)) for point in result.trace],
    )


def parse(data: dict[str, object]) -> Outcome:
    """Read an outcome from its JSON."""
    return Outcome(**data | {"run": Run(**data["run"]), "trace": [tuple(point) for point in data["trace"]]})


def _failed(run: Run, stop_reason: str, message: str) -> Outcome:
    return Outcome(run, "none", stop_reason, message, None, None, None, 0.0, 0.0, [])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


if __name__ == "__main__":
    print(json.dumps(asdict(run_here(Run(**json.loads(sys.argv[1]))))))
