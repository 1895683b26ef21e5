"""What ranks say to one another: commands of three numbers, tensors of known shape, bytes with their length first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import torch
import torch.distributed as dist
from torch import Tensor

from epsl_opt.backends.distributed.failures import LinkError

SERVER = 0
MAX_BYTES = 2**36
_ALMOST = 0.9
"""Of the time-out, since two clocks measure it."""


class Command(IntEnum):
    """What the server asks of a client; arguments in brackets."""

    ALIVE = 0
    """Nothing: the server is still there."""
    PLAN = 1
    """Receive the plan as JSON and get ready."""
    BEGIN = 2
    """Begin a round [finished rounds, seed]; answer with the time."""
    FORWARD = 3
    """Send the labels and the smashed data of the round's batch."""
    BACKWARD = 4
    """Receive gradients [positions from the broadcast, own positions] and run the backward pass."""
    STEP = 5
    """Update the model."""
    WHOLE_STEP = 6
    """Run forward and backward pass of the whole network; send loss and checks."""
    UPLOAD = 7
    """Send the model."""
    AVERAGE = 8
    """Receive the averaged model from the broadcast."""
    SAVE = 9
    """Send everything that decides how training goes on."""
    LOAD = 10
    """Receive that."""
    REPORT = 11
    """Send the round's times."""
    END = 12
    """Leave."""


class Tag(IntEnum):
    """Keeps commands and data of a pair apart."""

    COMMAND = 1
    DATA = 2


Words = tuple[Command, int, int]


@dataclass(frozen=True)
class Pair:
    """The connection to one rank.

    Parameters
    ----------
    rank
        Which.
    timeout_s
        After which a wait is given up.

    Raises
    ------
    LinkError
        From every method, if the rank is gone or does nothing until the time is out.
    """

    rank: int
    timeout_s: float

    def command(self, command: Command, first: int = 0, second: int = 0) -> None:
        """Send a command."""
        self._send(torch.tensor([command, first, second]), Tag.COMMAND)

    def next_command(self) -> Words:
        """Wait for a command."""
        code, first, second = self._receive(torch.empty(3, dtype=torch.int64), Tag.COMMAND).tolist()
        return Command(code), first, second

    def send(self, tensor: Tensor) -> None:
        """Send a tensor whose shape the other side knows."""
        self._send(tensor.detach().cpu().contiguous(), Tag.DATA)

    def receive(self, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
        """Receive a tensor."""
        return self._receive(torch.empty(list(shape), dtype=dtype), Tag.DATA)

    def send_bytes(self, content: bytes) -> None:
        """Send any number of bytes."""
        self.send(torch.tensor([len(content)]))
        self.send(torch.frombuffer(bytearray(content), dtype=torch.uint8))

    def receive_bytes(self) -> bytes:
        """Receive what `send_bytes` sent."""
        length = int(self.receive([1], torch.int64))
        if not 0 < length <= MAX_BYTES:
            raise LinkError(self.rank, ValueError(f"announced {length} bytes"))
        return self.receive([length], torch.uint8).numpy().tobytes()

    def _send(self, tensor: Tensor, tag: Tag) -> None:
        with self._told_apart():
            dist.send(tensor, self.rank, tag=tag)

    def _receive(self, tensor: Tensor, tag: Tag) -> Tensor:
        with self._told_apart():
            dist.recv(tensor, self.rank, tag=tag)
        return tensor

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        begun_s = time.monotonic()
        try:
            yield
        except (RuntimeError, ValueError) as error:  # the latter where the whole process group is gone
            timed_out = time.monotonic() - begun_s >= _ALMOST * self.timeout_s
            raise LinkError(self.rank, error, timed_out=timed_out) from error


def packed(tensors: Sequence[Tensor]) -> Tensor:
    """Return the numbers of tensors one after another, as bytes."""
    return torch.cat([tensor.detach().cpu().contiguous().flatten().view(torch.uint8) for tensor in tensors])


@torch.no_grad()
def unpack(content: Tensor, tensors: Sequence[Tensor]) -> None:
    """Fill tensors with what `packed` made of others like them."""
    begin = 0
    for tensor in tensors:
        end = begin + tensor.numel() * tensor.element_size()
        # A copy, since a slice of bytes may not be aligned for the numbers in it.
        tensor.copy_(content[begin:end].clone().view(tensor.dtype).view(tensor.shape))
        begin = end
