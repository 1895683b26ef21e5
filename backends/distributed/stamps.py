"""When what happened at a client in a round."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import torch
from torch import Tensor


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
