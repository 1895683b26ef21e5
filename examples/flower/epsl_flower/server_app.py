"""The server: it holds the layers after the cut, and runs the rounds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import torch
from flwr.app import Array, ArrayRecord, Context, Message, RecordDict
from flwr.common.constant import ErrorCode
from flwr.serverapp import Grid, ServerApp

from epsl_flower.setting import Setting, setting
from epsl_opt import InputError
from epsl_opt.backends.pytorch.aggregation import mean_activation
from epsl_opt.backends.pytorch.optimisers import make_optimiser
from epsl_opt.backends.pytorch.split_step import CutGradients, server_step
from epsl_opt.files.csv_text import format_csv
from epsl_opt.files.writing import write_bytes

JOIN_TIMEOUT_S = 30.0
LATE = (ErrorCode.MESSAGE_UNAVAILABLE, ErrorCode.REPLY_MESSAGE_UNAVAILABLE, ErrorCode.NODE_UNAVAILABLE)
"""What Flower says of a message whose time to live is over."""

COLUMNS = ("round", "simulated_time_s", "round_latency_s", "train_loss", "clients")

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Train as many rounds as the configuration says."""
    found = setting(context)
    nodes = _nodes(grid, len(found.rows))
    server = found.server_side.train()
    learner = make_optimiser(server.parameters(), found.options)
    rows: list[dict[str, float]] = []
    for number in range(1, int(context.run_config["rounds"]) + 1):
        loss, latency_s, clients = _round(grid, context, found, nodes, server, number)
        learner.step()
        learner.zero_grad()
        elapsed_s = latency_s + (rows[-1]["simulated_time_s"] if rows else 0.0)
        rows.append(dict(zip(COLUMNS, (number, elapsed_s, latency_s, loss, clients), strict=True)))
        print(f"round {number}: loss {loss:.4f} after {elapsed_s:.4f} s, {clients} clients", flush=True)
    _write(context.run_config["metrics"], rows)


def _round(
    grid: Grid, context: Context, found: Setting, nodes: list[int], server: torch.nn.Sequential, number: int
) -> tuple[float, float, int]:
    """Leave the gradients of a round in the server-side model; return its loss, simulated latency and clients."""
    row, stages = found.rows[0], found.schedule.stages
    server_s = stages.server_forward_s + stages.server_backward_s
    grace_s = float(context.run_config["grace-s"])

    replies = _ask(grid, "query.forward", dict.fromkeys(nodes, RecordDict()), number, row.uplink_deadline_s + grace_s)
    replies.sort(key=lambda reply: reply.content["metrics"]["client"])
    if not replies:
        raise TimeoutError(f"round {number}: no client met the deadline; raise grace-s")
    uplink_s = max(reply.content["metrics"]["latency_s"] for reply in replies)

    present = [int(reply.content["metrics"]["client"]) for reply in replies]
    shares = found.shares[present] / found.shares[present].sum()
    smashed, labels = (_stacked(replies, key) for key in ("smashed", "labels"))
    step = server_step(server, smashed, labels, shares, found.feed.aggregated, mean_activation)
    answers = {reply.metadata.src_node_id: _gradients(step, i) for i, reply in enumerate(replies)}

    remaining_s = row.round_deadline_s - row.uplink_deadline_s - server_s
    done = _ask(grid, "train.backward", answers, number, remaining_s + grace_s)
    downlink_s = max((reply.content["metrics"]["latency_s"] for reply in done), default=0.0)
    return step.loss.item(), uplink_s + server_s + stages.broadcast_s + downlink_s, len(done)


def _ask(grid: Grid, kind: str, contents: Mapping[int, RecordDict], number: int, ttl_s: float) -> list[Message]:
    """Send each node its content and return the replies that came in time.

    Raises
    ------
    RuntimeError
        If a client failed for another reason than being late.
    """
    messages = [Message(content, node, kind, ttl=ttl_s, group_id=str(number)) for node, content in contents.items()]
    replies = list(grid.send_and_receive(messages))
    for reply in replies:
        if reply.has_error() and reply.error.code not in LATE:
            raise RuntimeError(f"round {number}: {kind}: {reply.error.reason}")
    return [reply for reply in replies if not reply.has_error()]


def _gradients(step: CutGradients, position: int) -> RecordDict:
    """Return what a client gets: the aggregated gradients, which all get alike, and those of its own samples."""
    arrays = {} if step.shared is None else {"aggregated": Array(step.shared)}
    arrays |= {} if step.own is None else {"own": Array(step.own[position])}
    return RecordDict({"arrays": ArrayRecord(arrays)})


def _stacked(replies: Iterable[Message], key: str) -> torch.Tensor:
    """Return an array of all replies, clients first."""
    return torch.stack([torch.from_numpy(reply.content["arrays"][key].numpy()) for reply in replies])


def _nodes(grid: Grid, clients: int) -> list[int]:
    """Wait until as many nodes are there as the schedule has clients.

    Raises
    ------
    InputError
        If there are more, or still fewer after `JOIN_TIMEOUT_S`.
    """
    end_s = time.monotonic() + JOIN_TIMEOUT_S
    nodes = list(grid.get_node_ids())
    while len(nodes) < clients and time.monotonic() < end_s:
        time.sleep(0.1)
        nodes = list(grid.get_node_ids())
    if len(nodes) != clients:
        raise InputError("schedule", f"is for {clients} clients, but Flower has {len(nodes)} SuperNodes")
    return nodes


def _write(path: str, rows: list[dict[str, float]]) -> None:
    if path:
        write_bytes(path, format_csv(COLUMNS, rows).encode())
