"""The bound from prices per client and count on random instances: below every schedule, never below the Lagrangian's.

    python -m benchmarks.count_bounds
    python -m benchmarks.count_bounds --instances 100 --first 5000

Instances are the tiny ones of `framework_rounds` (rounds of all frameworks, the exchange of models included) and, one
in four, cells of 4 to 8 clients with 2 to 4 subchannels each. A bound is held against the best schedule known: the
optimum by enumeration of the tiny ones, what `exact` and `local-search` find of the others. The exit code is 1 if a
bound is above a schedule, or the new below the old by more than rounding.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.framework_rounds import drawn
from docs_tools.marked_text import markdown_table
from epsl_opt import Instance, Limits, load_instance, solve
from epsl_opt.solvers.dual.count_bound import CountBound
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.exact.count_rounds import bounds_counts

ROUNDING = 1e-9
BEYOND = 1.5
"""Bounds are raised towards so much of the best latency known, so that nothing stops a false one."""

HEAD = (
    "| instances | number | mean gap before | mean gap now | closed to 1e-4 before | now | false | lower than before |"
)
RULE = "|---|--:|--:|--:|--:|--:|--:|--:|"


def cell(seed: int) -> Instance:
    """Draw a cell that is too large to enumerate."""
    random = np.random.default_rng(seed)
    clients, each = int(random.integers(4, 9)), int(random.integers(2, 5))
    fading = random.choice(["none", "rayleigh", "rician"])
    size = f"clients={clients},subchannels={clients * each}"
    kind = f"fading={fading},bandwidth_spread={random.choice([0.0, 0.5])}"
    return load_instance(f"paper:{size},{kind},server_cycles_per_s={10 ** random.uniform(9, 11.5):g},seed={seed}")


def least_known_s(instance: Instance, tiny: bool) -> float:
    """The latency of the best schedule known."""
    names = ["brute-force"] if tiny else ["exact", "local-search"]
    found = [solve(instance, name, Limits(time_s=10, rel_gap=0.0 if tiny else 1e-6)).latency_s for name in names]
    return min(latency for latency in found if latency is not None)


def bounds_s(instance: Instance, known_s: float) -> tuple[float, float]:
    """The Lagrangian's bound and the new one."""
    bounds, raised = CutBounds(instance), []
    for cut, problem in bounds.problem.items():
        bounds.refine(cut, stop=lambda: False)
        raised.append(bounds.bound_s[cut])
        if bounds_counts(problem):
            bound = CountBound(problem, bounds.solution[cut], bounds.bound_s[cut])
            while not bound.exhausted and bound.bound_s < BEYOND * known_s:
                bound.raise_towards(BEYOND * known_s)
            raised[-1] = bound.bound_s
    return min(bounds.bound_s.values()), min(raised)


def main() -> int:
    """Print the table; return 1 if anything is false."""
    arguments = _arguments()
    rows: dict[str, list[tuple[float, float, float]]] = {"tiny": [], "cells": []}
    for seed in range(arguments.first, arguments.first + arguments.instances):
        tiny = seed % 4 != 0
        instance = drawn(seed) if tiny else cell(seed)
        known_s = least_known_s(instance, tiny)
        rows["tiny" if tiny else "cells"].append((known_s, *bounds_s(instance, known_s)))
        if rows["tiny" if tiny else "cells"][-1][2] > known_s * (1 + ROUNDING):
            print(f"false: {instance.name}", file=sys.stderr)
    table = [_row(name, np.array(found)) for name, found in rows.items() if found]
    print(markdown_table(HEAD, RULE, table))
    return int(any(int(row[-1]) or int(row[-2]) for row in table))


def _row(name: str, found: np.ndarray) -> list[str]:
    known, old, new = found.T
    gaps = [1 - bound / known for bound in (old, new)]
    means = [f"{100 * gap.mean():.3f} %" for gap in gaps]
    closed = [str(int((gap <= 1e-4).sum())) for gap in gaps]
    false, lower = (new > known * (1 + ROUNDING)).sum(), (new < old * (1 - ROUNDING)).sum()
    return [name, str(len(found)), *means, *closed, str(int(false)), str(int(lower))]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=2000, help="how many [2000]")
    parser.add_argument("--first", type=int, default=0, help="seed of the first [0]")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
