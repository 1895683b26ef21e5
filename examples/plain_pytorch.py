"""EPSL in plain PyTorch, from nothing but a schedule file: `python plain_pytorch.py SCHEDULE [ROUNDS]`.

Data and network are stand-ins, with as many small layers on the clients as the cut says: put yours in their place.
"""

import argparse
import copy
import json
import math
from fractions import Fraction
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

WIDTH, CLASSES = 32, 10


def read(path):
    """Return from a schedule file: clients C, batch size b, aggregated samples m, cut layer, seconds of a round."""
    file = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(file, dict) or (file.get("format"), file.get("version")) != ("epsl-opt/schedule", 1):
        raise ValueError("is no epsl-opt/schedule file of version 1")
    if file["status"] != "verified":
        raise ValueError(f"holds no schedule: {file['status']}, {file['stop_reason']}")
    t, b, phi, cut = file["stages"], file["batch_size"], file["aggregation_ratio"], file["cut_layer"]["index"]
    uplink_phase_s = max(f + u for f, u in zip(t["client_forward_s"], t["uplink_s"], strict=True))
    downlink_phase_s = max(d + w for d, w in zip(t["downlink_s"], t["client_backward_s"], strict=True))
    round_s = uplink_phase_s + t["server_forward_s"] + t["server_backward_s"] + t["broadcast_s"] + downlink_phase_s
    if not math.isclose(round_s, file["latency_s"], rel_tol=1e-6):
        raise ValueError(f"stages add up to {round_s} s, but latency_s is {file['latency_s']}")
    if not (isinstance(b, int) and b >= 1 and isinstance(cut, int) and cut >= 0 and 0 <= phi <= 1):
        raise ValueError("batch_size, aggregation_ratio or cut_layer.index is out of its range")
    return len(t["uplink_s"]), b, math.ceil(Fraction(str(phi)) * b), cut, round_s


def epsl_round(clients, server, x, y, m):
    """Leave the gradients of a round in all models and return its loss; x has shape (C, b, features), y (C, b)."""
    C, b = y.shape
    sent = torch.stack([client(batch) for client, batch in zip(clients, x, strict=True)])
    smashed = sent.detach()
    own = smashed[:, m:].clone().requires_grad_()  # unaggregated samples: one row each
    loss = cross_entropy(server(own.flatten(0, 1)), y[:, m:].flatten(), reduction="sum") / (C * b)
    loss.backward()
    with torch.no_grad():
        logits = server(smashed[:, :m].flatten(0, 1))
    last = (logits.softmax(1) - one_hot(y[:, :m].flatten(), CLASSES)).view(C, m, CLASSES).mean(0) / b
    mean = smashed[:, :m].mean(0).requires_grad_()  # aggregated samples: one row for all clients
    server(mean).backward(last)
    sent.backward(torch.cat([mean.grad.expand(C, *mean.shape), C * own.grad], dim=1))
    return loss.item() + cross_entropy(logits, y[:, :m].flatten(), reduction="sum").item() / (C * b)


def train(C, b, m, cut, round_s, rounds):
    """Train, and print loss and simulated time."""
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.Tanh()) for _ in range(cut + 3)]
    server = nn.Sequential(*layers[cut + 1 :], nn.Linear(WIDTH, CLASSES))
    clients = [copy.deepcopy(nn.Sequential(*layers[: cut + 1])) for _ in range(C)]
    optimiser = torch.optim.SGD(nn.ModuleList([server, *clients]).parameters(), lr=0.1, momentum=0.9)
    centres = torch.randn(CLASSES, WIDTH)
    for done in range(1, rounds + 1):
        y = torch.randint(CLASSES, (C, b))
        loss = epsl_round(clients, server, centres[y] + torch.randn(C, b, WIDTH), y, m)
        optimiser.step()
        optimiser.zero_grad()
        print(f"round {done}: loss {loss:.4f} after {done * round_s:.4f} s")


def main():
    """Train by the schedule in a file; whatever is wrong with it is one line and exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schedule")
    parser.add_argument("rounds", type=int, nargs="?", default=30)
    asked = parser.parse_args()
    try:
        schedule = read(asked.schedule)
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"lacks the field {error}" if isinstance(error, KeyError) else error
        parser.exit(2, f"{parser.prog}: error: {asked.schedule}: {problem}\n")
    train(*schedule, asked.rounds)


if __name__ == "__main__":
    main()
