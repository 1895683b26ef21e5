"""How long steps of a proof take, about: counted, not measured, so that one seed gives one result."""

from __future__ import annotations

STEPS_OF_A_NODE = 6
"""Steps of the interior-point method that a node takes, about."""


def step_work(n_clients: int, n_subchannels: int) -> float:
    """Microseconds on one core of 2020 of a step of the interior-point method for one region, about."""
    return 20 + 0.5 * n_clients * n_subchannels + 3e-3 * n_clients**2 * n_subchannels
