"""Every framework's own round on tiny instances, every solver against enumeration: how far off, and nothing false.

    python -m benchmarks.framework_rounds
    python -m benchmarks.framework_rounds --instances 40 --solvers exact,bcd

Instances have 1 to 3 clients, 3 to 5 subchannels and 1 to 3 cut layers, scarce or ample power, and models from a
hundredth to thirty times their usual size; the rounds of SFL, EPSL, PSL, FL and SL are taken in turn, with averaging
every 1, 2 and 5 rounds. The exit code is 1 if a schedule beats the enumerated optimum, a bound exceeds it, or `exact`
misses it.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np

from docs_tools.marked_text import markdown_table
from epsl_opt import Instance, Limits, solve
from epsl_opt.core.framework import Framework
from epsl_opt.testing.instances import draw_instance

ROUNDS = (
    (Framework.SFL, None),
    (Framework.EPSL, 5),
    (Framework.PSL, 1),
    (Framework.FL, None),
    (Framework.SL, None),
    (Framework.EPSL, 2),
)
SOLVERS = ("exact", "pyomo", "convex", "local-search", "bcd", "greedy")
TIGHT = {"exact": Limits(rel_gap=1e-9), "convex": Limits(rel_gap=1e-9)}
"""To what gap; the others' own default."""

SAME = 1e-9
HEAD = "| solver | instances | optimal | mean excess | largest excess | rejected | false bounds | beat the optimum |"
RULE = "|---|--:|--:|--:|--:|--:|--:|--:|"


@dataclass
class Tally:
    """What a solver did."""

    excesses: list[float]
    false_bounds: int = 0
    rejected: int = 0

    @property
    def too_good(self) -> int:
        """How many schedules beat the optimum, which none can."""
        return sum(excess < -SAME for excess in self.excesses)


def drawn(seed: int) -> Instance:
    """Draw a tiny instance; the seed also says which framework's round it is about."""
    random = np.random.default_rng(seed)
    instance = draw_instance(
        f"tiny-{seed}",
        seed,
        n_clients=int(random.integers(1, 4)),
        n_subchannels=int(random.integers(3, 6)),
        n_cut_layers=int(random.integers(1, 4)),
        aggregation_ratio=float(random.choice([0.0, 0.5, 1.0])),
        total_uplink_power_w=float(random.choice([0.02, 0.3, 2.0, 20.0])),
    )
    factor, model = float(10 ** random.uniform(-2, 1.5)), instance.model
    cuts = tuple(
        cut.model_copy(update={"client_parameter_bits": factor * cut.client_parameter_bits}) for cut in model.cut_layers
    )
    sizes = {"cut_layers": cuts, "total_parameter_bits": max(factor, 1.0) * model.total_parameter_bits}
    framework, every = ROUNDS[seed % len(ROUNDS)]
    resized = instance.replace(model=model.model_copy(update=sizes))
    return resized.with_training(framework=framework, average_every=every)


def main() -> int:
    """Print the table; return 1 if anything is false."""
    arguments = _arguments()
    tallies = {solver: Tally([]) for solver in arguments.solvers.split(",")}
    for seed in range(arguments.instances):
        instance = drawn(seed)
        best_s = solve(instance, "brute-force", Limits(rel_gap=0.0)).latency_s
        assert best_s is not None, instance.name
        for solver, tally in tallies.items():
            result = solve(instance, solver, TIGHT.get(solver, Limits()))
            if result.latency_s is None:
                print(f"{solver} on {instance.name}: {result.status}: {result.message}", file=sys.stderr)
                tally.rejected += 1
                continue
            tally.excesses.append(result.latency_s / best_s - 1)
            tally.false_bounds += result.bound_s is not None and result.bound_s > best_s * (1 + SAME)
    print(markdown_table(HEAD, RULE, (_row(solver, tally) for solver, tally in tallies.items())))
    exact = tallies.get("exact", Tally([]))
    false = any(tally.false_bounds or tally.too_good for tally in tallies.values())
    return int(false or exact.rejected > 0 or any(excess > SAME for excess in exact.excesses))


def _row(solver: str, tally: Tally) -> list[str]:
    excess = np.array(tally.excesses)
    optimal = f"{int((excess <= SAME).sum())}"
    sizes = (f"{100 * max(float(excess.mean()), 0.0):.3f} %", f"{100 * max(float(excess.max()), 0.0):.3f} %")
    counts = (tally.rejected, tally.false_bounds, tally.too_good)
    return [f"`{solver}`", str(len(excess) + tally.rejected), optimal, *sizes, *map(str, counts)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=500, help="how many [500]")
    parser.add_argument("--solvers", default=",".join(SOLVERS), help="names between commas")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
