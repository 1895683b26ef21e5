"""Run solvers on the instance library and keep the lowest verified latency and the highest bound of each instance.

    python -m benchmarks.best_known --solvers greedy,bcd,local-search --time-limit 10
    python -m docs_tools.problems docs/problems.md

The first rewrites `library.json` after every run (whole or not at all), never for the worse, and prints the library as
a table; the second brings the table in the documentation up to date.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from docs_tools.problems import library_table, seconds
from epsl_opt import InputError, Limits, SolutionStatus, SolveResult, StopReason, solve
from epsl_opt.core.checker import check_bound
from epsl_opt.core.options import unknown
from epsl_opt.files.json_files import write_record
from epsl_opt.problems import library
from epsl_opt.problems.library import BestKnown, Library, LibraryEntry

NOTICEABLE = 1e-9
FINGERPRINT_TOLERANCE = 1e-11


def main() -> int:
    """Return 0; 1 if results contradict each other, 2 if something given is wrong, 130 if interrupted."""
    args = arguments()
    try:
        contradictions = run(args)
        table = library_table(library.read(args.library))
    except InputError as error:
        print(f"best_known: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(table)
    return 1 if contradictions else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--solvers", default="greedy,bcd,convex,local-search,exact", help="registered names; '' only prints"
    )
    parser.add_argument("--instances", default="", help="library names, separated by commas (default: all)")
    parser.add_argument("--time-limit", type=float, default=10.0, metavar="S", help="seconds a run")
    parser.add_argument("--gap", type=float, default=1e-6, help="relative gap at which a solver may stop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--library", type=Path, default=library.PATH, help="file to improve")
    parser.add_argument("--forget", action="store_true", help="drop what is known of instances that have changed")
    args = parser.parse_args()
    try:
        args.limits = Limits(time_s=args.time_limit, rel_gap=args.gap, seed=args.seed)
    except ValueError as error:
        parser.error(str(error))
    return args


def run(args: argparse.Namespace) -> int:
    """Improve the chosen entries one by one; return how many results contradicted what is known."""
    contradictions = 0
    for entry in [*chosen(library.read(args.library), args.instances)]:
        current = up_to_date(entry, args.forget)
        instance = current.generate()
        for solver in filter(None, args.solvers.split(",")):
            result = solve(instance, solver, args.limits)
            problem = contradiction(current.best_known, result)
            contradictions += problem is not None
            if problem is None:
                current = current.model_copy(update={"best_known": improved(current.best_known, result)})
                write_record(args.library, with_entry(library.read(args.library), current))
            print(f"{entry.name:28} {report(result)}{problem or ''}", file=sys.stderr, flush=True)
            if result.stop_reason is StopReason.INTERRUPTED:
                raise KeyboardInterrupt
    return contradictions


def chosen(kept: Library, names: str) -> Iterator[LibraryEntry]:
    """Yield the entries named, or all."""
    by_name = {entry.name: entry for entry in kept.entries}
    for name in filter(None, names.split(",")) if names else by_name:
        if name not in by_name:
            raise InputError("library instance", unknown(name, list(by_name)))
        yield by_name[name]


def up_to_date(entry: LibraryEntry, forget: bool) -> LibraryEntry:
    """Return the entry if it still makes the instance its best known values are for; else forget them, or refuse."""
    found = library.fingerprint(entry.generate())
    if math.isclose(found, entry.fingerprint, rel_tol=FINGERPRINT_TOLERANCE):
        return entry
    if not forget:
        problem = f"fingerprint is {found!r}, not {entry.fingerprint!r}: the instance has changed (see --forget)"
        raise InputError(f"library instance {entry.name}", problem)
    return entry.model_copy(update={"fingerprint": found, "best_known": BestKnown()})


def improved(known: BestKnown, result: SolveResult) -> BestKnown:
    """Return what is known after a run: never a higher latency, never a lower bound."""
    latency, bound = result.latency_s, result.bound_s
    if latency is not None and latency < (known.latency_s or math.inf) * (1 - NOTICEABLE):
        known = known.model_copy(update={"latency_s": latency, "latency_solver": result.solver})
    if result.status is SolutionStatus.REJECTED or bound is None:
        return known
    if bound > (known.bound_s or 0.0) * (1 + NOTICEABLE):
        known = known.model_copy(update={"bound_s": bound, "bound_solver": result.solver})
    return known


def contradiction(known: BestKnown, result: SolveResult) -> str | None:
    """Say that a bound and a latency cannot both be true, if so."""
    pairs = ((result.bound_s, known.latency_s), (known.bound_s, result.latency_s))
    for bound, latency in pairs:
        if bound is not None and latency is not None and check_bound(bound, latency):
            return f" CONTRADICTION: bound {bound!r} above latency {latency!r}; result dropped"
    return None


def report(result: SolveResult) -> str:
    """Say in one line how a run ended."""
    figures = (seconds(result.latency_s), seconds(result.bound_s), f"{result.solve_s:8.2f} s")
    return f"{result.solver:14} {result.status:9} {result.stop_reason:15} " + " ".join(f"{x:>12}" for x in figures)


def with_entry(kept: Library, entry: LibraryEntry) -> Library:
    """Return the library with one entry replaced."""
    return Library(entries=tuple(entry if old.name == entry.name else old for old in kept.entries))


if __name__ == "__main__":
    sys.exit(main())
