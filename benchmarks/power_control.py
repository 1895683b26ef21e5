"""Compare exact power control with the same problem solved by CVXPY and Clarabel: agreement and speed.

    python -m benchmarks.power_control
    python -m benchmarks.power_control --quick

All times of one size are taken in turns within one run, and the least of several rounds counts, so that a busy machine
slows both sides alike. "Warm" is the program built once and solved again for new gains, given as parameters.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from docs_tools.marked_text import markdown_table
from epsl_opt import Instance, load_instance
from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.convex.power_control import ReferencePowerControl
from epsl_opt.solvers.primal.power_control import rows_of, sending_s

SIZES = ((5, 20), (20, 80), (50, 200))
CASES, ROUNDS = 200, 7
QUICK_CASES, QUICK_ROUNDS = 20, 2
BATCH = 200
CALLS_PER_ROUND = 20

HEAD = (
    "| C | M | CVXPY, built and solved | CVXPY, warm | exact, one call | exact, in a batch of 200 "
    "| built / one call | warm / one call | built / in a batch | warm / in a batch |"
)
RULE = "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True)
class Timing:
    """Least seconds for one allocation of `n_clients` and `n_subchannels`, by four ways to solve it."""

    n_clients: int
    n_subchannels: int
    cold_s: float
    warm_s: float
    call_s: float
    batch_s: float


def main() -> int:
    """Print agreement and times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cases and rounds")
    print(report(parser.parse_args().quick))
    return 0


def report(quick: bool = False) -> str:
    """Return how well the two agree, and the table of times, as Markdown."""
    cases, rounds = (QUICK_CASES, QUICK_ROUNDS) if quick else (CASES, ROUNDS)
    agreement = f"Largest relative difference over {cases} random cases: {worst_difference(cases):.1e}."
    return f"{agreement}\n\n{timing_table([measure(C, M, rounds) for C, M in SIZES])}"


def worst_difference(cases: int) -> float:
    """Return the largest relative difference between the two over random instances, allocations and cut layers."""
    differences = []
    for seed in range(cases):
        instance, owner, cut = random_case(seed)
        costs = cut_costs(instance, cut)
        reference_s = ReferencePowerControl(instance, costs, owner).phase_s()
        differences.append(abs(exact_s(instance, costs, owner) - reference_s) / reference_s)
    return max(differences)


def random_case(seed: int) -> tuple[Instance, IntArray, int]:
    """Draw an instance of the paper's scenario, an allocation in which every client sends, and a cut layer."""
    random = np.random.default_rng(seed)
    C = int(random.integers(1, 7))
    M = int(random.integers(C, 25))
    fading = "rayleigh" if seed % 2 else "none"
    instance = load_instance(f"paper:clients={C},subchannels={M},seed={seed},fading={fading}")
    return instance, random_owner(random, C, M), int(random.integers(instance.n_cut_layers))


def random_owner(random: np.random.Generator, C: int, M: int) -> IntArray:
    """Draw an allocation of all subchannels, one to each client first."""
    return random.permutation(np.append(np.arange(C), random.integers(C, size=M - C)))


def exact_s(instance: Instance, costs: CutCosts, owner: IntArray) -> float:
    """Return the uplink phase of one allocation in seconds, by exact power control."""
    return float(sending_s(rows_of(instance, owner[None, :]), instance, costs)[0])


def measure(C: int, M: int, rounds: int) -> Timing:
    """Time all four ways in turns, each on its least round; gains change from round to round."""
    instances = two_channels(C, M)
    costs = cut_costs(instances[0], instances[0].n_cut_layers // 2)
    random = np.random.default_rng(0)
    owner = random_owner(random, C, M)
    owners = np.array([random.permutation(owner) for _ in range(BATCH)])
    program = ReferencePowerControl(instances[0], costs, owner)
    program.phase_s()
    least = [math.inf] * 4
    for turn in range(rounds):
        instance = instances[(turn + 1) % 2]
        now = (
            seconds(partial(solve_cold, instance, costs, owner)),
            seconds(partial(program.phase_s, instance)),
            seconds(partial(exact_s, instance, costs, owner), CALLS_PER_ROUND),
            seconds(partial(solve_batch, instance, costs, owners)) / BATCH,
        )
        least = [min(pair) for pair in zip(least, now, strict=True)]
    return Timing(C, M, *least)


def two_channels(C: int, M: int) -> tuple[Instance, Instance]:
    """Draw an instance, and the same with other gains."""
    first = load_instance(f"paper:clients={C},subchannels={M},radius_m=100,seed=1")
    fading = np.random.default_rng(2).exponential(size=(C, M))
    channel = first.channel.model_copy(update={"uplink_gain": first.channel.uplink_gain * fading})
    return first, first.replace(channel=channel)


def solve_cold(instance: Instance, costs: CutCosts, owner: IntArray) -> float:
    """Build the convex program and solve it once."""
    return ReferencePowerControl(instance, costs, owner).phase_s()


def solve_batch(instance: Instance, costs: CutCosts, owners: IntArray) -> FloatArray:
    """Return the uplink phases of many allocations by exact power control, in one go."""
    return sending_s(rows_of(instance, owners), instance, costs)


def seconds(action: Callable[[], object], calls: int = 1) -> float:
    """Return the wall-clock seconds that one call takes, on average over `calls`."""
    start = time.perf_counter()
    for _ in range(calls):
        action()
    return (time.perf_counter() - start) / calls


def timing_table(timings: list[Timing]) -> str:
    """Return the times of one allocation, and how many times faster exact power control is, as Markdown."""
    return markdown_table(HEAD, RULE, map(_row, timings))


def _row(timing: Timing) -> list[str]:
    reference, ours = (timing.cold_s, timing.warm_s), (timing.call_s, timing.batch_s)
    cells = [f"{1e3 * t:.3g} ms" if t >= 1e-3 else f"{1e6 * t:.3g} µs" for t in (*reference, *ours)]
    cells += [f"{slow / fast:.0f}" for fast in ours for slow in reference]
    return [str(timing.n_clients), str(timing.n_subchannels), *cells]


if __name__ == "__main__":
    sys.exit(main())
