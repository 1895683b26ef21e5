"""A client's rank: does what the server asks, and nothing of its own accord."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import nn

from epsl_opt.backends.distributed.clock import ClientStamps, ForwardClock, now_s
from epsl_opt.backends.distributed.failures import BroadcastError, LinkError
from epsl_opt.backends.distributed.group import Group
from epsl_opt.backends.distributed.plan import Assignment, read_assignment
from epsl_opt.backends.distributed.wire import SERVER, Command, Pair, packed, unpack
from epsl_opt.backends.pytorch.averaging import exchanged
from epsl_opt.backends.pytorch.backend import materials
from epsl_opt.backends.pytorch.devices import ready_device
from epsl_opt.backends.pytorch.feed import Feed
from epsl_opt.backends.pytorch.replicas import load_replica, replica_state
from epsl_opt.backends.pytorch.rounds import Models
from epsl_opt.backends.pytorch.session import explained_batch_norm, held_segments
from epsl_opt.backends.pytorch.split_step import LocalClientSides
from epsl_opt.core.errors import EpslOptError

DONE = torch.ones(1)
"""What a client answers when it has done something."""


def serve(group: Group) -> int:
    """Obey the server until it says that it is over; return the exit code."""
    pair = Pair(SERVER, group.timeout_s)
    try:
        try:
            _obey(group, pair)
        except BroadcastError:
            # A broadcast passes from client to client: who is to blame only the server can find out.
            with group.life.waiting():
                _await_end(pair)
    except LinkError as error:
        group.life.leave()  # the server may only have given up, because of another
        return _server_gone(group, error)
    except EpslOptError as error:
        group.leave_note("input", str(error))
        return 2
    except Exception as error:
        group.leave_note("failed", f"unexpected {type(error).__name__}: {error}")
        return 1
    return 0


def _obey(group: Group, pair: Pair) -> None:
    part: ClientPart | None = None
    while True:
        with group.life.waiting():
            command, first, second = pair.next_command()
        if command is Command.END:
            return
        if command is Command.PLAN:
            part = ClientPart(group, pair, read_assignment(pair.receive_bytes()))
            pair.send(DONE)
        elif command is not Command.ALIVE and part is not None:
            part.obey(command, first, second)


def _await_end(pair: Pair) -> None:
    while pair.next_command()[0] is not Command.END:
        pass


def _server_gone(group: Group, error: LinkError) -> int:
    if group.rank == SERVER + 1 and group.note("ended", SERVER) is None:
        what = f"gave no sign within {group.timeout_s:g} s" if error.timed_out else "died"
        problem = f"rank {SERVER} (the server) {what}; the same command with --resume goes on from its last checkpoint"
        sys.stderr.write(f"epsl-opt: error: {problem}\n")
    return 1


class ClientPart:
    """One client's part of a training.

    Parameters
    ----------
    group, pair
        The job, and the connection to the server.
    assignment
        The plan, and which client this is.
    """

    def __init__(self, group: Group, pair: Pair, assignment: Assignment) -> None:
        plan, options = assignment.plan, assignment.options
        self._group, self._pair, self._client = group, pair, assignment.client
        device = ready_device(options.device)
        data, parts, chain = materials(plan, options)
        held = held_segments(plan, chain)
        self._feed = Feed(plan, options, data, parts, plan.instance.training.batch_size)
        self._models = Models(
            chain.client_side(held), nn.Sequential(), 1, torch.ones(1, dtype=torch.float32, device=device), options
        )
        self._network = self._models.clients[0]
        self._forward_clock = ForwardClock(self._network)
        self._stamps, self._finished_rounds = ClientStamps(), 0
        self._sent = torch.empty(0)
        self._duties: dict[Command, Callable[[int, int], None]] = {
            Command.BEGIN: self._begin,
            Command.FORWARD: self._forward,
            Command.BACKWARD: self._backward,
            Command.STEP: self._step,
            Command.WHOLE_STEP: self._whole_step,
            Command.UPLOAD: lambda *_: self._pair.send(packed(exchanged(self._network))),
            Command.AVERAGE: self._average,
            Command.SAVE: lambda *_: self._pair.send_bytes(replica_state(self._models, 0)),
            Command.LOAD: self._load,
            Command.REPORT: lambda *_: self._pair.send(self._stamps.tensor()),
        }

    def obey(self, command: Command, first: int, second: int) -> None:
        """Do what a command asks."""
        with explained_batch_norm():
            self._duties[command](first, second)

    def _begin(self, finished_rounds: int, seed: int) -> None:
        self._pair.send(torch.tensor([now_s()], dtype=torch.float64))
        self._finished_rounds, self._stamps = finished_rounds, ClientStamps()
        self._models.begin_round(finished_rounds, seed)

    def _forward(self, *_: int) -> None:
        batch = self._feed.batch(self._finished_rounds, self._client)
        self._pair.send(batch.labels[0])
        self._models.draw_as(self._client)
        self._stamps.forward_begin_s = now_s()
        self._sent = self._network(batch.samples[0])
        self._stamps.forward_end_s = now_s()
        self._pair.send(self._sent)

    def _backward(self, shared: int, own: int) -> None:
        rows, row = [], self._sent.shape[1:]
        if shared:
            rows.append(self._group.broadcast(torch.empty(shared, *row, dtype=self._sent.dtype)))
            self._stamps.broadcast_end_s = self._stamps.own_end_s = now_s()
            self._pair.send(DONE)
        if own:
            rows.append(self._pair.receive([own, *row], self._sent.dtype))
            self._stamps.own_end_s = now_s()
        if self._sent.requires_grad:
            torch.autograd.backward(self._sent, torch.cat(rows).to(self._sent.device))
        self._stamps.backward_end_s = now_s()

    def _step(self, *_: int) -> None:
        # In some frameworks others have their turn in between, which is no time of this client's.
        begun_s = now_s()
        self._models.step_clients()
        self._stamps.backward_end_s += now_s() - begun_s

    def _whole_step(self, *_: int) -> None:
        batch = self._feed.batch(self._finished_rounds, self._client)
        self._models.draw_as(self._client)
        before_s, begun_s = self._forward_clock.total_s, now_s()
        step = self._models.joint_step(LocalClientSides([self._network], batch.samples, batch.labels), 0, alone=True)
        self._stamps.forward_begin_s = begun_s
        self._stamps.forward_end_s = begun_s + self._forward_clock.total_s - before_s
        self._stamps.own_end_s, self._stamps.backward_end_s = self._stamps.forward_end_s, now_s()
        self._pair.send(torch.cat([step.loss[None], step.checks]).double())

    def _average(self, *_: int) -> None:
        mean = self._group.broadcast(torch.empty_like(packed(exchanged(self._network))))
        unpack(mean, exchanged(self._network))
        self._pair.send(DONE)

    def _load(self, *_: int) -> None:
        load_replica(self._models, 0, self._pair.receive_bytes(), "the server")
        self._pair.send(DONE)
