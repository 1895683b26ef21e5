"""Measure how fast `exact` and general solvers prove optimality on the same instances; write `docs/benchmarks.md`.

    pip install "epsl-opt[bench]"
    python -m benchmarks.exact
    python -m benchmarks.exact --quick
    python -m benchmarks.exact --again exact

Every run has a process of its own, one thread and the same limits; runs are made in turns, instance by instance.
Finished runs are kept in `out/exact/runs` and not made again, so that this script may be interrupted; `--again` names
solvers whose runs are made anew. `--quick` takes few instances, short limits, and writes to `out/exact/quick` instead.
What is not installed is shown as such. MindtPy needs the program `ipopt` (conda install -c conda-forge ipopt).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import agreement
from benchmarks.contenders import CONTENDERS
from benchmarks.destination import destination
from benchmarks.exact_runs import Bench, Outcome, Run
from benchmarks.exact_tables import csv_table, instance_table, ratio_text, scale_table, summary_table
from benchmarks.profile_picture import plot_profiles
from docs_tools.marked_text import write_marked
from epsl_opt import InputError
from epsl_opt.files.writing import write_bytes
from epsl_opt.report.plots.save import save_picture
from epsl_opt.solving.provenance import cpu, versions

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
OUT = ROOT / "out" / "exact"
CHANNELS = ("none", "rayleigh")
GAPS = (1e-2, 1e-3, 1e-4)
SMALL = "clients=4,subchannels=14"
"""The largest instances with 4 clients that the licence which comes with gurobipy takes."""

SCALE = (("clients=20,subchannels=80", 30.0, 1e-3), ("clients=50,subchannels=200", 60.0, 1e-3))
LARGE = (("clients=200,subchannels=800", 60.0, 1e-3),)
HUGE = (("clients=1000,subchannels=4000", 600.0, 5e-2),)


@dataclass(frozen=True)
class Settings:
    """What the command line asks for."""

    quick: bool
    seeds: int
    exact_seeds: int
    time_limit_s: float
    solvers: list[str]
    huge: bool
    again: list[str]
    runs: Path


class Campaign:
    """All runs of the benchmark, by part."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bench = Bench(settings.runs, settings.again)

    @cached_property
    def paper(self) -> list[Outcome]:
        """Every contender on the paper's scenario."""
        return self._compare("", self._settings.seeds)

    @cached_property
    def exact(self) -> list[Outcome]:
        """`exact` alone on more seeds."""
        return self._compare("", self._settings.exact_seeds, ["exact"])

    @cached_property
    def small(self) -> list[Outcome]:
        """Every contender where Gurobi's licence fits."""
        return self._compare(f"{SMALL},", self._settings.seeds)

    @cached_property
    def scale(self) -> list[Outcome]:
        """`exact` alone on large instances."""
        sizes = SCALE[:1] if self._settings.quick else (*SCALE, *LARGE, *(HUGE if self._settings.huge else ()))
        runs = [
            Run(f"paper:{size},fading={fading},seed=0", "exact", time_limit_s, gap)
            for size, time_limit_s, gap in sizes
            for fading in CHANNELS
        ]
        return self._bench.outcomes(runs)

    def _compare(self, size: str, seeds: int, solvers: list[str] | None = None) -> list[Outcome]:
        runs = [
            Run(f"paper:{size}fading={fading},seed={seed}", solver, self._settings.time_limit_s, GAPS[-1])
            for fading in CHANNELS
            for seed in range(seeds)
            for solver in solvers or self._settings.solvers
        ]
        return self._bench.outcomes(runs)


def main() -> int:
    """Return 0; 2 if something given is wrong, 130 if interrupted."""
    settings = read_settings()
    campaign = Campaign(settings)
    try:
        document = destination(DOCUMENT, OUT / "quick" if settings.quick else None)
        write_marked(document, parts(settings, campaign))
        write_bytes(document.with_suffix(".csv"), csv_table(campaign.paper + campaign.small, GAPS).encode())
        pictures = document.parent / "pictures"
        pictures.mkdir(exist_ok=True)
        save_picture(plot_profiles(campaign.paper, GAPS), pictures / "time-to-gap")
    except InputError as error:
        print(f"exact: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"wrote {document}", file=sys.stderr)
    return 0


def read_settings() -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small run that leaves the documentation alone")
    parser.add_argument("--seeds", type=int, default=6, metavar="N", help="draws per channel for every solver")
    parser.add_argument("--exact-seeds", type=int, default=20, metavar="N", help="draws per channel for exact alone")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S", help="seconds a run (default: 60)")
    parser.add_argument("--solvers", default=",".join(CONTENDERS), help="default: %(default)s")
    parser.add_argument("--huge", action="store_true", help="also 1000 clients on 4000 subchannels (20 minutes more)")
    parser.add_argument("--again", default="", metavar="SOLVERS", help="make the runs of these anew")
    parser.add_argument("--runs", type=Path, default=OUT / "runs", metavar="DIR", help="where finished runs are kept")
    args = parser.parse_args()
    solvers, again = args.solvers.split(","), [name for name in args.again.split(",") if name]
    if unknown := [name for name in solvers + again if name not in CONTENDERS]:
        parser.error(f"unknown solvers {', '.join(unknown)}; there are {', '.join(CONTENDERS)}")
    if min(args.seeds, args.exact_seeds, args.time_limit) <= 0:
        parser.error("--seeds, --exact-seeds and --time-limit must be positive")
    if args.quick:
        return Settings(True, 1, 2, min(args.time_limit, 5.0), solvers, False, again, args.runs)
    return Settings(False, args.seeds, args.exact_seeds, args.time_limit, solvers, args.huge, again, args.runs)


def parts(settings: Settings, campaign: Campaign) -> dict[str, Callable[[], str]]:
    """Return every generated part of the document by the name of its markers."""
    return {
        "conditions": lambda: conditions(settings),
        "paper-summary": lambda: summary_table(campaign.paper, GAPS),
        "paper-ratio": lambda: ratio_text(campaign.paper, GAPS),
        "paper-instances": lambda: instance_table(campaign.paper, GAPS[-1]),
        "exact-seeds": lambda: summary_table(campaign.exact, GAPS),
        "small-summary": lambda: summary_table(campaign.small, GAPS),
        "small-ratio": lambda: ratio_text(campaign.small, GAPS),
        "agreement": lambda: agreement.report(settings.quick),
        "scale": lambda: scale_table(campaign.scale),
    }


def conditions(settings: Settings) -> str:
    """Say how and with what the runs were made."""
    found = [f"{name} {number}" for name, number in versions()]
    for package in ("pyscipopt", "gurobipy"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    options = f"--time-limit {settings.time_limit_s:g} --seeds {settings.seeds} --exact-seeds {settings.exact_seeds}"
    software = ", ".join(found)
    return f"`python -m benchmarks.exact {options}`; {os.cpu_count()} processors ({cpu()}); {software}."


if __name__ == "__main__":
    sys.exit(main())
