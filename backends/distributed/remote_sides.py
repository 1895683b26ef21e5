"""The clients' parts of a step, computed on other ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.clock import now_s
from epsl_opt.backends.distributed.round_times import RoundTimes
from epsl_opt.backends.distributed.wire import Command, Pair
from epsl_opt.backends.pytorch.split_step import CutGradients, SmashedData


@dataclass(frozen=True)
class Rows:
    """What a client sends: b labels, and smashed data of shape (b, *row_shape).

    `trained` says whether a client-side model has anything to train, and `device` where the server computes.
    """

    batch_size: int
    row_shape: tuple[int, ...]
    trained: bool
    device: torch.device


@dataclass
class RemoteClientSides:
    """Clients on other ranks.

    Parameters
    ----------
    clients, numbers
        The connections, and the clients that take part.
    rows
        What each sends.
    times
        The round's.
    draw
        Called before the server's part.

    Attributes
    ----------
    server_s
        How long the server computed.
    """

    clients: Clients
    numbers: Sequence[int]
    rows: Rows
    times: RoundTimes
    draw: Callable[[], None]

    def forward(self) -> SmashedData:
        """Let the clients send their labels and smashed data."""
        found = self.clients.tell(self.numbers, Command.FORWARD, self._receive)
        labels = torch.stack([label for label, _ in found]).to(self.rows.device)
        values = torch.stack([smashed for _, smashed in found]).to(self.rows.device)
        self.draw()
        self._begun_s = self._ended_s = now_s()
        return SmashedData(values, labels, self.rows.trained)

    def backward(self, found: CutGradients, gradient: Tensor) -> None:
        """Broadcast what is one for all, and send every client what is its own."""
        self._ended_s = now_s()
        shared, own = found.shared, found.own
        if shared is not None and shared.dim() == gradient.dim():
            shared, own = None, gradient
        rows = [0 if tensor is None else tensor.shape[dim] for tensor, dim in ((shared, 0), (own, 1))]
        self.clients.command(self.numbers, Command.BACKWARD, *rows)
        if shared is not None:
            self.times.broadcast_begin_s = now_s()
            self.clients.broadcast(shared)
        if own is not None:
            self._send(own)

    @property
    def server_s(self) -> float:
        """How long the server computed; without a backward pass of the clients, until now."""
        return (self._ended_s if self.rows.trained else now_s()) - self._begun_s

    def _receive(self, number: int, pair: Pair) -> tuple[Tensor, Tensor]:
        labels = pair.receive([self.rows.batch_size], torch.int64)
        smashed = pair.receive([self.rows.batch_size, *self.rows.row_shape], torch.float32)
        self.times.arrival_s[number] = now_s()
        return labels, smashed

    def _send(self, own: Tensor) -> None:
        content = dict(zip(self.numbers, own.cpu(), strict=True))

        def send(number: int, pair: Pair) -> None:
            self.times.own_begin_s[number] = now_s()
            pair.send(content[number])

        self.clients.each(self.numbers, send)
