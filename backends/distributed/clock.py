"""Clocks: when what happened at a client in a round, and how long a network's forward passes took."""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass, fields

import torch
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


@dataclass
class ClientStamps:
    """Times on the client's own clock; 0 is what did not happen.

    Without gradients of its own, a client has the last of its gradients when it has the broadcast.
    """

    forward_begin_s: float = 0.0
    forward_end_s: float = 0.0
    broadcast_end_s: float = 0.0
    own_end_s: float = 0.0
    backward_end_s: float = 0.0

    def tensor(self) -> Tensor:
        """Return the times as they travel."""
        return torch.tensor(astuple(self), dtype=torch.float64)

    def on_clock(self, ahead_s: float) -> ClientStamps:
        """Return the times on a clock that this one is ahead of."""
        return ClientStamps(*(value - ahead_s if value else 0.0 for value in astuple(self)))


STAMPS = len(fields(ClientStamps))
