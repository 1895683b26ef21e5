"""Compare `exact` with enumeration and, where PySCIPOpt is installed, with SCIP on random small instances.

python -m benchmarks.agreement
python -m benchmarks.agreement --quick
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from epsl_opt import Instance, Limits, SolutionStatus, Solver, StopReason, solve
from epsl_opt.core.instance import Channel
from epsl_opt.plugins.registry import load_solver
from epsl_opt.testing import draw_instance

INSTANCES, QUICK_INSTANCES = 240, 12
EXACT_GAP = 1e-9
SAME = 1e-6
SCIP_GAP, SCIP_TOLERANCE, SCIP_TIME_S = 1e-6, 1e-8, 20.0
RATIOS = (0.0, 0.3, 0.5, 1.0)
TOTAL_POWERS_W = (0.02, 0.5, 20.0)
"""So tight that it decides everything, of the order of what the clients have, and never binding."""


@dataclass(frozen=True)
class Agreement:
    """How `exact` and another solver compare: relative differences of their latencies, and runs that did not end."""

    other: str
    differences: list[float]
    open_runs: int

    def __str__(self) -> str:
        largest = f"{max(map(abs, self.differences), default=0.0):.1e}"
        within = sum(abs(difference) <= SAME for difference in self.differences)
        worse = sum(difference > SAME for difference in self.differences)
        open_ = f"; {self.open_runs} without a schedule or not ended within {SCIP_TIME_S:g} s" if self.open_runs else ""
        return (
            f"- {self.other}: {within} of {len(self.differences)} optima equal to {SAME:g} relative, "
            f"largest difference {largest}; `exact` worse by more on {worse}{open_}"
        )


def main() -> int:
    """Print how well the solvers agree; return 1 if `exact` was worse anywhere, or enumeration not equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer instances")
    found = measure(QUICK_INSTANCES if parser.parse_args().quick else INSTANCES)
    print("\n".join(map(str, found)))
    enumerated, *_ = found
    worst = max(max(one.differences, default=0.0) for one in found)
    return int(worst > SAME or max(map(abs, enumerated.differences)) > SAME)


def report(quick: bool = False) -> str:
    """Return the comparison as a Markdown list."""
    return "\n".join(map(str, measure(QUICK_INSTANCES if quick else INSTANCES)))


def measure(count: int) -> list[Agreement]:
    """Solve the first `count` random instances with everything there is."""
    instances = [random_instance(seed) for seed in range(count)]
    exact = [_optimum_s(instance, load_solver("exact"), Limits(rel_gap=EXACT_GAP)) for instance in instances]
    found = [_compare("enumeration", instances, exact, lambda: load_solver("brute-force"), Limits())]
    try:
        from benchmarks.scip_solver import Scip
    except ImportError:
        return found
    limits = Limits(time_s=SCIP_TIME_S, rel_gap=SCIP_GAP)
    options = {"feasibility_tolerance": SCIP_TOLERANCE, "formulation": "joint"}
    return [*found, _compare("SCIP", instances, exact, Scip, limits, options)]


def random_instance(seed: int) -> Instance:
    """Draw an instance: every size up to 3 clients, 6 subchannels, 3 cut layers; every phi; scarce to plenty power.

    Every fourth spreads the gains over 12 orders of magnitude instead of three.
    """
    random = np.random.default_rng(seed)
    corners = list(product(RATIOS, TOTAL_POWERS_W))
    ratio, total_w = corners[seed % len(corners)]
    C = int(random.integers(1, 4))
    M = C if seed % 5 == 0 else int(random.integers(C, 7))
    instance = draw_instance(f"random-{seed}", seed, C, M, int(random.integers(1, 4)), ratio, total_w)
    if seed % 4:
        return instance
    spread = 10.0 ** random.uniform(-9, 0, (2, C, M))
    channel = instance.channel
    return instance.replace(
        channel=Channel(
            uplink_gain=channel.uplink_gain * spread[0],
            downlink_gain=channel.downlink_gain * spread[1],
            noise_psd_w_per_hz=channel.noise_psd_w_per_hz,
        )
    )


def _compare(
    name: str,
    instances: list[Instance],
    exact_s: list[float],
    make: Callable[[], Solver[Any]],
    limits: Limits,
    options: dict[str, Any] | None = None,
) -> Agreement:
    others = [_optimum_s(instance, make(), limits, options) for instance in instances]
    pairs = [(mine, other) for mine, other in zip(exact_s, others, strict=True) if math.isfinite(other)]
    return Agreement(name, [(mine - other) / other for mine, other in pairs], len(others) - len(pairs))


def _optimum_s(instance: Instance, solver: Solver[Any], limits: Limits, options: dict[str, Any] | None = None) -> float:
    """Return the latency of the schedule found; inf if there is none, or time ran out."""
    result = solve(instance, solver, limits, options)
    if result.status is SolutionStatus.REJECTED:
        raise RuntimeError(f"{solver.name} on {instance.name}: {result.status}, {result.message}")
    ended = result.stop_reason is not StopReason.TIME_LIMIT
    return result.latency_s if ended and result.latency_s is not None else math.inf


if __name__ == "__main__":
    sys.exit(main())
