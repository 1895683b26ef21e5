"""Time the certified latencies of a grid of 121 points: 11 aggregation ratios at 11 cut layers, five clients.

python -m benchmarks.plan_latency
"""

from __future__ import annotations

import time

from epsl_opt import load_instance
from epsl_opt.core.framework import Framework
from epsl_opt.planning.latency import Pricing
from epsl_opt.planning.plan import LIMITS
from epsl_opt.planning.point import Point

RATIOS = [k / 10 for k in range(11)]
CUTS = 11


def main() -> None:
    """Price the grid, and say how long it took and how far apart the ends are."""
    instance = load_instance("paper")
    cuts = [cut.name for cut in instance.model.cut_layers][:CUTS]
    pricing, started_s, cpu_s = Pricing(instance, LIMITS), time.perf_counter(), time.process_time()
    batch_size = instance.training.batch_size
    found = [pricing.price(Point(Framework.EPSL, ratio, cut, batch_size)) for cut in cuts for ratio in RATIOS]
    wall_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    gap = max((each.round_s - each.mean_bound_s) / each.round_s for each in found)
    print(f"{len(found)} points in {wall_s:.2f} s ({cpu_s:.2f} s of processor time); largest gap {100 * gap:.4f} %")


if __name__ == "__main__":
    main()
