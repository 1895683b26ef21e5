"""The models of a training whose client-side ones are trained elsewhere; the server keeps a copy of each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.clock import STAMPS, ClientStamps, ForwardClock, now_s
from epsl_opt.backends.distributed.remote_sides import RemoteClientSides, Rows
from epsl_opt.backends.distributed.round_times import RoundTimes
from epsl_opt.backends.distributed.wire import Command, Pair, packed, unpack
from epsl_opt.backends.pytorch.averaging import average, exchanged
from epsl_opt.backends.pytorch.feed import Batch
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.replicas import load_replica, replica_state
from epsl_opt.backends.pytorch.rounds import Models
from epsl_opt.backends.pytorch.split_step import CHECKED_STAGES, StepResult


class RemoteModels(Models):
    """The server-side model, and the clients' as of the last time they were sent.

    Parameters
    ----------
    client_side, server_side, replicas, shares, options
        As of `Models`.
    clients
        Where the client-side models are trained.
    sample
        One sample as a batch, shape (1, ...), on the device; it tells what smashed data look like.
    batch_size
        b, how many samples a client sends at once.
    """

    def __init__(
        self,
        client_side: nn.Sequential,
        server_side: nn.Sequential,
        replicas: int,
        shares: Tensor,
        options: TorchOptions,
        clients: Clients,
        sample: Tensor,
        batch_size: int,
    ) -> None:
        super().__init__(client_side, server_side, replicas, shares, options)
        self._remote = clients
        with torch.no_grad():
            row = self.clients[0].eval()(sample)[0]
        self.train()
        trained = any(parameter.requires_grad for parameter in client_side.parameters())
        self._rows = Rows(batch_size, tuple(row.shape), trained, shares.device)
        self._everyone: Sequence[int] = range(len(shares))
        self._handed_on = replicas < len(shares)
        self._pending: set[int] = set()
        self._forward_clock = ForwardClock(self.server)
        self.times = RoundTimes(len(shares))

    def begin_round(self, finished_rounds: int, seed: int) -> None:
        """Set the learning rates and the random draws of a round, everywhere; compare clocks."""
        super().begin_round(finished_rounds, seed)
        self.times = RoundTimes(len(self.shares))

        def begin(_: int, pair: Pair) -> float:
            asked_s = now_s()
            pair.command(Command.BEGIN, finished_rounds, seed)
            client_s = float(pair.receive([1], torch.float64))
            return client_s - (asked_s + now_s()) / 2

        self.times.ahead_s = self._remote.each(self._everyone, begin)

    def accumulate(self, batch: Batch, client: int | None = None) -> StepResult:
        """Let clients make a step with the server, or alone if they hold the whole network."""
        numbers = self._everyone if client is None else [client]
        if self._handed_on:
            self._hand_on(numbers[0])
        self._pending.update(numbers)
        if not len(self.server):
            return self._whole_step(numbers)
        before_s = self._forward_clock.total_s
        sides = RemoteClientSides(self._remote, numbers, self._rows, self.times, lambda: self.draw_as(None, client))
        result = self.joint_step(sides, batch.aggregated, alone=client is not None)
        forward_s = self._forward_clock.total_s - before_s
        self.times.server_forward_s += forward_s
        self.times.server_backward_s += sides.server_s - forward_s
        return result

    def step_clients(self) -> None:
        """Let the clients that have gradients update their models."""
        numbers = sorted(self._pending)
        self._pending.clear()
        self._remote.command(numbers, Command.STEP)
        if self._handed_on:
            # The step is over when the client answers; only what follows is sending the model.
            self._report(numbers)
            begun_s = now_s()
            self._pull(numbers)
            self.times.model_exchange_s += now_s() - begun_s

    def average_clients(self) -> None:
        """Average the client-side models by their shares; every client gets the average."""
        self._report(self._everyone)
        begun_s = now_s()
        size = len(packed(exchanged(self.clients[0])))
        self._remote.command(self._everyone, Command.UPLOAD)
        sent = self._remote.each(self._everyone, lambda _, pair: pair.receive([size], torch.uint8))
        for network, content in zip(self.clients, sent, strict=True):
            unpack(content, exchanged(network))
        average(self.clients, self.shares)
        self._remote.command(self._everyone, Command.AVERAGE)
        self._remote.broadcast(packed(exchanged(self.clients[0])))
        self.times.model_exchange_s += now_s() - begun_s

    def end_round(self) -> RoundTimes:
        """Wait until every client has finished, and return the round's times."""
        self._report(self._everyone)
        return self.times

    def collect(self) -> None:
        """Get every client's model with its optimiser's state."""
        if not self._handed_on:
            self._pull(self._everyone)

    def distribute(self) -> None:
        """Give every client its model with its optimiser's state."""
        if not self._handed_on:
            self._push(self._everyone)

    def _hand_on(self, client: int) -> None:
        begun_s = now_s()
        self._push([client])
        self.times.model_exchange_s += now_s() - begun_s

    def _whole_step(self, numbers: Sequence[int]) -> StepResult:
        size = 1 + len(CHECKED_STAGES)
        found = self._remote.tell(numbers, Command.WHOLE_STEP, lambda _, pair: pair.receive([size], torch.float64))
        losses = torch.stack(found).float().to(self.shares.device)
        return StepResult(self.shares @ losses[:, 0], losses[:, 1:].sum(0), 0, 0)

    def _report(self, numbers: Sequence[int]) -> None:
        """Get the clients' times, which they send when they have done all that they were asked before."""
        late = [number for number in numbers if self.times.stamps[number] is None]
        found = self._remote.tell(late, Command.REPORT, lambda _, pair: pair.receive([STAMPS], torch.float64))
        for number, values in zip(late, found, strict=True):
            self.times.stamps[number] = ClientStamps(*values.tolist())

    def _pull(self, numbers: Sequence[int]) -> None:
        states = self._remote.tell(numbers, Command.SAVE, lambda _, pair: pair.receive_bytes())
        for number, state in zip(numbers, states, strict=True):
            load_replica(self, self._replica(number), state, f"rank {number + 1}")

    def _push(self, numbers: Sequence[int]) -> None:
        def load(number: int, pair: Pair) -> None:
            pair.send_bytes(states[number])
            pair.receive([1], torch.float32)

        states = {number: replica_state(self, self._replica(number)) for number in numbers}
        self._remote.tell(numbers, Command.LOAD, load)

    def _replica(self, client: int) -> int:
        return 0 if self._handed_on else client
