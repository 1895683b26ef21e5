"""Dense cells: where many clients in line of sight are alike and proofs are hardest."""

from __future__ import annotations

LIBRARY = (
    "wide-c20-m80",
    "wide-c20-m80-rayleigh",
    "wide-c50-m200-rician",
    "wide-c100-m400-unequal",
    "wide-c200-m800",
    "wide-c200-m800-rayleigh",
)
"""The six of the instance library that took longest to close."""

UNEQUAL = ",bandwidth_spread=0.5"
DRAWS_OF_SIZE = {50: 4, 100: 3, 200: 3}
"""Draws of either kind (equal and unequal bandwidths) by number of clients."""

FIRST_SEED = 101


def draws() -> tuple[str, ...]:
    """Return twenty further cells as `load_instance` takes them: Rician fading, equal and unequal bandwidths."""
    kinds = [(size, kind, n) for size, count in DRAWS_OF_SIZE.items() for kind in ("", UNEQUAL) for n in range(count)]
    return tuple(_drawn(size, kind, FIRST_SEED + place) for place, (size, kind, _) in enumerate(kinds))


def _drawn(clients: int, kind: str, seed: int) -> str:
    """A cell as large as those of the library: a client's share of power, server and band does not depend on C."""
    power_dbm = {50: 46.99, 100: 50.0, 200: 53.01}[clients]
    size = f"clients={clients},subchannels={4 * clients},bandwidth_hz={5e8 / clients:g}"
    means = f"total_power_dbm={power_dbm},server_cycles_per_s={4e9 * clients:g}"
    return f"paper:{size},{means},radius_m=100,line_of_sight=los,fading=rician{kind},seed={seed}"
