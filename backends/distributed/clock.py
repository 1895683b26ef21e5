"""Clocks: when things happened, and how long a network's forward passes took."""

from __future__ import annotations

import time

from torch import Tensor, nn


def now_s() -> float:
    """Return the time on this machine's own clock, which only differences make sense of."""
    return time.perf_counter()


class ForwardClock:
    """Adds up the time of the forward passes of a network's segments.

    Parameters
    ----------
    network
        Watched for as long as it lives.
    """

    def __init__(self, network: nn.Sequential) -> None:
        self.total_s = self._begun_s = 0.0
        for segment in network:
            segment.register_forward_pre_hook(self._begin)
            segment.register_forward_hook(self._end)

    def _begin(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self._begun_s = now_s()

    def _end(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self.total_s += now_s() - self._begun_s
