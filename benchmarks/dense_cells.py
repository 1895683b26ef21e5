"""How far solvers get on dense cells: six instances of the library and twenty further draws in line of sight.

    python -m benchmarks.dense_cells --time-limit 60
    python -m benchmarks.dense_cells --solvers exact,local-search --cells library --time-limit 10
    python -m benchmarks.dense_cells --cells wide-c20-m80,paper:clients=50,subchannels=200,fading=rician --threads 2

Every run has a process of its own; runs are made in turns, cell by cell. Finished runs are kept as lines of one file
(`--output`) and not made again, so that this script may be interrupted; `--again` names solvers whose runs are made
anew. The table goes to standard output. Gaps are to the run's own bound, or where a solver has none to the best bound
of the runs with the same cell.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.dense_instances import LIBRARY, draws
from benchmarks.exact_runs import Outcome, Run, run_apart
from benchmarks.kept_lines import KeptLines
from docs_tools.marked_text import markdown_table
from epsl_opt import InputError

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out" / "dense" / "runs.jsonl"
HEAD = "| cell | solver | threads | limit (s) | latency (s) | bound (s) | gap | time (s) | nodes | stop reason |"
RULE = "|---|---|--:|--:|--:|--:|--:|--:|--:|---|"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0; 1 if a run has no verified schedule, 2 if something given is wrong, 130 if interrupted."""
    args = _arguments(arguments)
    try:
        kept = KeptLines(args.output, again=args.again)
        outcomes = []
        for run in _runs(args):
            if run not in kept:
                print(f"{run.instance} {run.solver}", file=sys.stderr, flush=True)
                kept.keep(run_apart(run))
            outcomes.append(kept[run])
    except InputError as error:
        print(f"dense_cells: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(dense_table(outcomes))
    return int(any(outcome.status != "verified" for outcome in outcomes))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solvers", default="exact", help="names, separated by commas")
    parser.add_argument("--cells", default="all", help="all, library, draws, or instances separated by commas")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S", help="seconds a run")
    parser.add_argument("--gap", type=float, default=1e-4, help="relative gap at which a solver may stop")
    parser.add_argument("--threads", type=int, default=1, help="threads a solver may use")
    parser.add_argument("--output", type=Path, default=OUT, help="file of finished runs")
    parser.add_argument("--again", default="", help="solvers whose runs are made anew")
    args = parser.parse_args(arguments)
    args.again = tuple(filter(None, args.again.split(",")))
    return args


def _runs(args: argparse.Namespace) -> Iterator[Run]:
    for cell in cells(args.cells):
        for solver in args.solvers.split(","):
            yield Run(cell, solver, args.time_limit, args.gap, args.threads)


def cells(text: str) -> tuple[str, ...]:
    """Return the instances that `text` asks for; in a list, options follow the name of their scenario."""
    named = {"all": (*LIBRARY, *draws()), "library": LIBRARY, "draws": draws()}
    if text in named:
        return named[text]
    return tuple(re.split(r",(?![a-z0-9_]+=)", text))


def dense_table(outcomes: Sequence[Outcome]) -> str:
    """Return the runs as Markdown."""
    bounds: dict[str, float] = {}
    for outcome in outcomes:
        if outcome.bound_s is not None:
            bounds[outcome.run.instance] = max(outcome.bound_s, bounds.get(outcome.run.instance, -1.0))
    return markdown_table(HEAD, RULE, (_row(outcome, bounds.get(outcome.run.instance)) for outcome in outcomes))


def _row(outcome: Outcome, best_bound_s: float | None) -> list[str]:
    run, latency = outcome.run, outcome.latency_s
    bound = best_bound_s if outcome.bound_s is None else outcome.bound_s
    gap = "" if latency is None or bound is None else f"{max(latency - bound, 0.0) / latency:.2e}"
    own = ["" if x is None else f"{x:.6f}" for x in (latency, outcome.bound_s)]
    cells_ = [f"`{run.instance}`", f"`{run.solver}`", str(run.threads), f"{run.time_limit_s:g}", *own, gap]
    return [*cells_, f"{outcome.time_s:.2f}", nodes_of(outcome.message), outcome.stop_reason]


def nodes_of(message: str) -> str:
    """Return the number of nodes that a solver tells of, or nothing."""
    found = re.search(r"(\d+) nodes", message)
    return found[1] if found else ""


if __name__ == "__main__":
    sys.exit(main())
