"""Time `exact` on gains that move, with and without the last instance's prices; both have the last schedule.

python -m benchmarks.warm_prices
"""

from __future__ import annotations

import numpy as np

from epsl_opt import Instance, Limits, Schedule, load_instance, solve
from epsl_opt.core.arrays import FloatArray
from epsl_opt.solvers.exact.solver import Exact

SIZES = ((5, 20, 1e-4), (20, 8, 1e-3), (50, 4, 1e-2))
"""Clients, instances after the first, gap asked for."""

SEEDS = (1, 2, 3)

CHANGE = 0.1
"""Standard deviation of the logarithm of what every gain is multiplied by each time."""


def main() -> None:
    """Print a row per size and draw: sums of seconds, interleaved, and their ratio."""
    print("clients  seed  cold s  warm s  cold / warm")
    for clients, n_moves, rel_gap in SIZES:
        for seed in SEEDS:
            cold_s, warm_s = _seconds(clients, seed, n_moves, Limits(time_s=10.0, rel_gap=rel_gap))
            print(f"{clients:7d}  {seed:4d}  {cold_s:6.2f}  {warm_s:6.2f}  {cold_s / warm_s:11.2f}")


def _seconds(clients: int, seed: int, n_moves: int, limits: Limits) -> tuple[float, float]:
    random = np.random.default_rng(0)
    instance = load_instance(f"paper:clients={clients},subchannels={4 * clients},fading=rayleigh,seed={seed}")
    warm, total = Exact(), np.zeros(2)
    last: list[Schedule | None] = [None, None]
    for _ in range(n_moves + 1):
        for n, solver in enumerate((Exact(), warm)):
            result = solve(instance, solver, limits, start=last[n])
            last[n] = result.schedule or last[n]
            total[n] += result.build_s + result.solve_s
        instance = _moved(instance, random)
    return float(total[0]), float(total[1])


def _moved(instance: Instance, random: np.random.Generator) -> Instance:
    def move(gain: FloatArray) -> FloatArray:
        return gain * np.exp(random.normal(0.0, CHANGE, size=gain.shape))

    channel = instance.channel
    gains = {"uplink_gain": move(channel.uplink_gain), "downlink_gain": move(channel.downlink_gain)}
    return instance.replace(channel=channel.model_copy(update=gains))


if __name__ == "__main__":
    main()
