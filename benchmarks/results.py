"""Run all registered solvers and write what they reach into `docs/results.md`, with a picture of the gaps.

    python -m benchmarks.results
    python -m benchmarks.results --quick
    python -m benchmarks.results --engine dask --scheduler ADDRESS

Finished runs are kept in `out/results/runs` and not run again, so that a run of this script may be interrupted; empty
that folder after a change to a solver. `--quick` takes few instances and writes to `out/results/quick` instead.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import power_control, scale
from benchmarks.destination import destination
from benchmarks.engine_arguments import add_engine_arguments, chosen_engine
from benchmarks.gap_picture import plot_gaps
from benchmarks.result_tables import (
    beaten_table,
    gap_table,
    latency_s,
    matrix_table,
    status_table,
    summary_table,
    time_s,
)
from docs_tools.marked_text import write_marked
from epsl_opt import InputError, Instance, Limits, SolveMonitor, load_instance
from epsl_opt.campaigns.compare import compare
from epsl_opt.campaigns.engines import Engine
from epsl_opt.campaigns.ranking import RunRow, rank
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.problems import library
from epsl_opt.report.plots.save import save_picture
from epsl_opt.solving.provenance import cpu, versions

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "results.md"
OUT = ROOT / "out" / "results"
PANELS = {"Flat channels": "none", "Rayleigh fading": "rayleigh"}
PAPER_CLIENTS = 5
SIZES = (5, 10, 20)
QUICK_CLIENTS, QUICK_SEEDS = 3, 3


class Progress:
    """Writes a line per run to standard error."""

    def start(self, label: str) -> None:
        """Hear that another run begins."""
        print(label, file=sys.stderr, flush=True)

    def listen(self, monitor: SolveMonitor) -> None:
        """Hear something new about the running solver."""


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    quick: bool
    time_limit_s: float
    gap: float
    seeds: int
    runs: Path
    engine: Engine


@cache
def library_rows(settings: Settings) -> list[RunRow]:
    """Run all solvers on the library's instances."""
    most = QUICK_CLIENTS if settings.quick else sys.maxsize
    instances = [one for one in map(library.load, library.names()) if one.n_clients <= most]
    known = {one.sha256: library.best_known(one.name).bound_s for one in instances}
    documents = run(settings, instances, seed=0)
    return rank(documents, {sha256: bound for sha256, bound in known.items() if bound is not None})


@cache
def paper_rows(settings: Settings, fading: str, clients: int = 5) -> list[RunRow]:
    """Run all solvers on the paper's scenario, with four subchannels a client.

    The seed of an instance is also that of its random cut layers. Larger instances take a third of the seeds.
    """
    size = f"clients={clients},subchannels={4 * clients},"
    documents = []
    for seed in range(settings.seeds if clients == PAPER_CLIENTS else max(settings.seeds // 3, 1)):
        documents += run(settings, [load_instance(f"paper:{size}seed={seed},fading={fading}")], seed)
    return rank(documents)


def sized_rows(settings: Settings, clients: int) -> list[RunRow]:
    """Return the runs on both channels at one size."""
    return [row for fading in PANELS.values() for row in paper_rows(settings, fading, clients)]


def run(settings: Settings, instances: list[Instance], seed: int) -> tuple[ScheduleDocument, ...]:
    """Run every registered solver on every instance.

    Raises
    ------
    KeyboardInterrupt
        If the user stops it; what is finished is kept.
    """
    limits = Limits(time_s=settings.time_limit_s, rel_gap=settings.gap, seed=seed)
    done = compare(instances, limits=limits, folder=settings.runs, observer=Progress(), engine=settings.engine)
    if done.interrupted:
        raise KeyboardInterrupt
    return done.documents


def main() -> int:
    """Return 0; 1 if a run was rejected or failed, 2 if something given is wrong, 130 if interrupted."""
    settings = read_settings()
    try:
        document = destination(DOCUMENT, OUT / "quick" if settings.quick else None)
        write_marked(document, parts(settings))
        pictures = document.parent / "pictures"
        pictures.mkdir(exist_ok=True)
        panels = {title: paper_rows(settings, fading) for title, fading in PANELS.items()}
        save_picture(plot_gaps(panels), pictures / "gaps")
        sizes = {f"{clients} clients": sized_rows(settings, clients) for clients in SIZES}
        save_picture(plot_gaps(sizes), pictures / "gaps-by-size")
    except InputError as error:
        print(f"results: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        settings.engine.close()
    print(f"wrote {document}", file=sys.stderr)
    rows = [*library_rows(settings), *(row for part in sizes.values() for row in part)]
    return int(any(row.status is SolutionStatus.REJECTED or row.stop_reason is StopReason.ERROR for row in rows))


def read_settings() -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small run that leaves the documentation alone")
    parser.add_argument("--time-limit", type=float, default=10.0, metavar="S", help="seconds a run (default: 10)")
    parser.add_argument("--gap", type=float, default=1e-4, help="relative gap at which a solver may stop")
    parser.add_argument("--seeds", type=int, default=30, metavar="N", help="draws of the paper's scenario")
    parser.add_argument("--runs", type=Path, default=OUT / "runs", metavar="DIR", help="where finished runs are kept")
    add_engine_arguments(parser, "1, in this process")
    args = parser.parse_args()
    seeds = min(args.seeds, QUICK_SEEDS) if args.quick else args.seeds
    try:
        Limits(time_s=args.time_limit, rel_gap=args.gap)
    except ValueError as error:
        parser.error(str(error))
    if seeds < 1:
        parser.error("--seeds must be at least 1")
    try:
        engine = chosen_engine(args, here=True)
    except InputError as error:
        parser.error(str(error))
    return Settings(args.quick, args.time_limit, args.gap, seeds, args.runs, engine)


def parts(settings: Settings) -> dict[str, Callable[[], str]]:
    """Return every generated part of the document by the name of its markers."""
    return {
        "conditions": lambda: conditions(settings),
        "paper-all": lambda: summary_table([row for size in SIZES for row in sized_rows(settings, size)]),
        "paper-10": lambda: summary_table(sized_rows(settings, 10)),
        "paper-20": lambda: summary_table(sized_rows(settings, 20)),
        "paper-flat": lambda: summary_table(paper_rows(settings, "none")),
        "paper-flat-baselines": lambda: beaten_table(paper_rows(settings, "none")),
        "paper-rayleigh": lambda: summary_table(paper_rows(settings, "rayleigh")),
        "paper-rayleigh-baselines": lambda: beaten_table(paper_rows(settings, "rayleigh")),
        "library-status": lambda: status_table(library_rows(settings)),
        "library-gap": lambda: gap_table(library_rows(settings)),
        "library-latency": lambda: matrix_table(library_rows(settings), latency_s, 4, mark_least=True),
        "library-time": lambda: matrix_table(library_rows(settings), time_s, 3),
        "power-control": lambda: power_control.report(settings.quick),
        "scale": lambda: scale_report(settings.quick),
    }


def conditions(settings: Settings) -> str:
    """Say how and with what the runs were made."""
    software = ", ".join(f"{name} {version}" for name, version in versions())
    options = f"--time-limit {settings.time_limit_s:g} --gap {settings.gap:g} --seeds {settings.seeds}"
    return f"`python -m benchmarks.results {options}`; {os.cpu_count()} processors ({cpu()}); {software}."


def scale_report(quick: bool) -> str:
    """Return the table of `scale.py`."""
    instances, solvers = (scale.INSTANCES[:1], scale.SOLVERS[:1]) if quick else (scale.INSTANCES, scale.SOLVERS)
    return scale.scale_table(scale.measure(instances, solvers, scale.TIME_LIMIT_S))


if __name__ == "__main__":
    sys.exit(main())
