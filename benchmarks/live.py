"""Time `epsl-opt solve --watch` from an instance file's arrival to its schedule, starting warm and cold.

    python -m benchmarks.live            # writes the tables of docs/benchmarks.md
    python -m benchmarks.live --quick    # few instances, into out/live

The loop runs in a process of its own. Files are renamed into its folder one at a time, the next when the line about the
last has come and a short pause is over; the clock is the writer's, from the rename to that line. Exit code 1 says that
a heuristic or baseline missed 100 ms in more than 1 % of the cases at 20 clients.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.destination import destination
from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt import Instance, load_instance, write_record
from epsl_opt.solving.provenance import cpu, versions

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
OUT = Path("out/live")

CHANGES = {
    "walking": "speed_m_per_s=1.4,round_interval_s=1",
    "fading": "fading=rayleigh",
}
"""What changes from one instance to the next -> options of the scenario."""

BASELINES = ("baseline-a", "baseline-b", "baseline-c", "baseline-d")
SOLVERS = ("greedy", "bcd", "local-search", *BASELINES)
SUBCHANNELS_PER_CLIENT = 4
UNMEASURED = 3
PAUSE_S = 0.01
TARGET_CLIENTS, TARGET_S = 20, 0.1
PARTS = ("wait_s", "read_s", "solve_s", "judge_s", "write_s")

HEAD = (
    "| clients | change | solver | start | p50 (ms) | p99 (ms) | longest (ms) | wait | read | solve | judge | write |"
    " round latency (s) |"
)
RULE = "|--:|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True)
class Case:
    """What is run, and over how many instances."""

    clients: int
    change: str
    solver: str
    cold: bool
    instances: int


@dataclass(frozen=True)
class Measured:
    """A case with the writer's times in seconds and the records of the loop."""

    case: Case
    reactions_s: Sequence[float]
    records: Sequence[dict[str, object]]

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the reaction times."""
        return 1e3 * float(np.quantile(self.reactions_s, share))

    def mean(self, field: str) -> float:
        """Return the mean of a field of the records."""
        return float(np.mean([float(str(record[field])) for record in self.records]))


def main() -> int:
    """Return 0; 1 if the target was missed."""
    args = read_arguments()
    cases = list(chosen_cases(args))
    done: list[Measured] = []
    for case in cases:
        print(f"{len(done) + 1} of {len(cases)}: {case}", file=sys.stderr, flush=True)
        done.append(measured(case))
    document = destination(PAGE, OUT if args.quick else None)
    write_marked(document, {"live-conditions": lambda: conditions(args), "live": lambda: live_table(done)})
    print(f"wrote {document}", file=sys.stderr)
    late = [m for m in done if m.case.clients == TARGET_CLIENTS and m.quantile_ms(0.99) > 1e3 * TARGET_S]
    for m in late:
        print(f"p99 {m.quantile_ms(0.99):.1f} ms: {m.case}", file=sys.stderr)
    return int(bool(late))


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few instances; leaves the documentation alone")
    parser.add_argument("--instances", type=int, default=200, metavar="N", help="of each case")
    parser.add_argument("--clients", default="5,10,20,50")
    parser.add_argument("--solvers", default=",".join(SOLVERS))
    parser.add_argument("--changes", default=",".join(CHANGES))
    args = parser.parse_args()
    args.instances = min(args.instances, 10) if args.quick else args.instances
    return args


def chosen_cases(args: argparse.Namespace) -> Iterator[Case]:
    """Yield the cases; baselines use no start, so there is only one case of each."""
    sizes = [int(C) for C in args.clients.split(",")]
    for C, change, solver in product(sizes, args.changes.split(","), args.solvers.split(",")):
        for cold in (True,) if solver in BASELINES else (False, True):
            yield Case(C, change, solver, cold, args.instances)


def instance_of(case: Case, number: int) -> Instance:
    """Draw the cell of a case in one of its rounds."""
    C = case.clients
    options = f"clients={C},subchannels={SUBCHANNELS_PER_CLIENT * C},seed=0,round={number}"
    return load_instance(f"paper:{options},{CHANGES[case.change]}")


def measured(case: Case) -> Measured:
    """Run the loop in a process of its own, and hand it one file after the other.

    Raises
    ------
    RuntimeError
        If a file has no verified schedule.
    """
    total = case.instances + UNMEASURED
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        for part in ("ready", "gains"):
            (root / part).mkdir()
        names = [f"{n:05d}.json" for n in range(total)]
        for n, name in enumerate(names):
            write_record(root / "ready" / name, instance_of(case, n))
        command = [sys.executable, "-c", "from epsl_opt.cli import main; main()", "solve", "--watch", root / "gains"]
        command += ["-s", case.solver, "-o", root / "schedules", "-f", "json", "-q", "--watch-count", str(total)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            [*command, *(["--cold"] if case.cold else [])], stdout=subprocess.PIPE, text=True, env=environment
        ) as loop:
            times, records = zip(*(handed(root, name, loop) for name in names), strict=True)
    return Measured(case, times[UNMEASURED:], records[UNMEASURED:])


def handed(root: Path, name: str, loop: subprocess.Popen[str]) -> tuple[float, dict[str, object]]:
    """Rename a file into the loop's folder; return the seconds until its line came, and the line."""
    time.sleep(PAUSE_S)
    start_s = time.perf_counter()
    (root / "ready" / name).rename(root / "gains" / name)
    line = loop.stdout.readline() if loop.stdout is not None else ""
    reaction_s = time.perf_counter() - start_s
    record = json.loads(line) if line else {}
    if record.get("status") != "verified" or not (root / "schedules" / f"{Path(name).stem}.schedule.json").exists():
        raise RuntimeError(f"no schedule for {name}: {line}")
    return reaction_s, record


def conditions(args: argparse.Namespace) -> str:
    """Say how and with what the runs were made."""
    software = ", ".join(f"{name} {version}" for name, version in versions()[:4])
    return (
        f"`python -m benchmarks.live --instances {args.instances}`; {os.cpu_count()} processors ({cpu()}); {software}."
    )


def live_table(done: Sequence[Measured]) -> str:
    """Return the cases as Markdown."""
    return markdown_table(HEAD, RULE, map(_row, done))


def _row(m: Measured) -> list[str]:
    case = m.case
    start = "-" if case.solver in BASELINES else "cold" if case.cold else "warm"
    quantiles = [f"{m.quantile_ms(share):.1f}" for share in (0.5, 0.99, 1.0)]
    parts = [f"{1e3 * m.mean(part):.1f}" for part in PARTS]
    return [str(case.clients), case.change, f"`{case.solver}`", start, *quantiles, *parts, f"{m.mean('latency_s'):.4f}"]


if __name__ == "__main__":
    sys.exit(main())
