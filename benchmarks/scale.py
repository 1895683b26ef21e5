"""Measure time and memory of the quick solvers on the largest library instances, each run in a process of its own.

python -m benchmarks.scale
python -m benchmarks.scale --solvers greedy,local-search --time-limit 30
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from docs_tools.marked_text import markdown_table
from epsl_opt import Limits, load_instance, solve

ROOT = Path(__file__).parents[1]

INSTANCES = ("wide-c200-m800", "wide-c200-m800-rayleigh")
SOLVERS = ("greedy", "bcd", "convex", "local-search", "exact")
TIME_LIMIT_S = 60.0

HEAD = "| instance | solver | status | stop reason | round latency (s) | bound (s) | time (s) | peak memory (MiB) |"
RULE = "|---|---|---|---|--:|--:|--:|--:|"


@dataclass(frozen=True)
class ScaleRun:
    """One run; memory is that of its whole process, Python and libraries included."""

    instance: str
    solver: str
    status: str
    stop_reason: str
    latency_s: float | None
    bound_s: float | None
    time_s: float
    peak_mib: float


def main() -> int:
    """Print the table; return 1 if a run has no verified schedule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solvers", default=",".join(SOLVERS))
    parser.add_argument("--instances", default=",".join(INSTANCES))
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, metavar="S", help="seconds a run")
    parser.add_argument("--one", nargs=2, metavar=("INSTANCE", "SOLVER"), help="run just this here, print JSON")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(asdict(run_here(*args.one, args.time_limit))))
        return 0
    runs = measure(args.instances.split(","), args.solvers.split(","), args.time_limit)
    print(scale_table(runs))
    return int(any(run.status != "verified" for run in runs))


def measure(instances: Sequence[str], solvers: Sequence[str], time_limit_s: float) -> list[ScaleRun]:
    """Run every solver on every instance, one process after the other."""
    return [run_apart(instance, solver, time_limit_s) for instance in instances for solver in solvers]


def run_apart(instance: str, solver: str, time_limit_s: float) -> ScaleRun:
    """Run one solver in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--time-limit", str(time_limit_s), "--one", instance, solver]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return ScaleRun(**json.loads(done.stdout))


def run_here(name: str, solver: str, time_limit_s: float) -> ScaleRun:
    """Run one solver on one instance in this process."""
    result = solve(load_instance(name), solver, Limits(time_s=time_limit_s))
    return ScaleRun(
        instance=name,
        solver=solver,
        status=str(result.status),
        stop_reason=str(result.stop_reason),
        latency_s=result.latency_s,
        bound_s=result.bound_s,
        time_s=result.build_s + result.solve_s,
        peak_mib=peak_mib(),
    )


def peak_mib() -> float:
    """Return the largest memory this process has held.

    On Linux, `getrusage` starts a child with the peak of its parent; the status file does not.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def scale_table(runs: Sequence[ScaleRun]) -> str:
    """Return the runs as Markdown."""
    return markdown_table(HEAD, RULE, map(_row, runs))


def _row(run: ScaleRun) -> list[str]:
    figures = ["" if x is None else f"{x:.4f}" for x in (run.latency_s, run.bound_s)]
    cells = [f"`{run.instance}`", f"`{run.solver}`", run.status, run.stop_reason, *figures]
    return [*cells, f"{run.time_s:.2f}", f"{run.peak_mib:.0f}"]


if __name__ == "__main__":
    sys.exit(main())
