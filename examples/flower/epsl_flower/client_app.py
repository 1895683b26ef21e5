"""A client: it holds the layers up to the cut, and its own samples."""

from __future__ import annotations

import copy

import torch
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from epsl_flower.setting import Setting, setting
from epsl_opt.backends.pytorch.optimisers import make_optimiser

app = ClientApp()


@app.query("forward")
def forward(message: Message, context: Context) -> Message:
    """Send the smashed data of the round's batch, and its labels."""
    found, client = setting(context), int(context.node_config["partition-id"])
    model, _ = _restored(found, context)
    samples, labels = _batch(found, client, message)
    with torch.no_grad():
        smashed = model(samples)
    row = found.rows[client]
    metrics = MetricRecord({"client": client, "latency_s": row.client_forward_s + row.uplink_s})
    arrays = ArrayRecord({"smashed": Array(smashed), "labels": Array(labels)})
    return Message(RecordDict({"arrays": arrays, "metrics": metrics}), reply_to=message)


@app.train("backward")
def backward(message: Message, context: Context) -> Message:
    """Take a step with the gradients of the smashed data: the aggregated ones are everybody's, the others its own."""
    found, client = setting(context), int(context.node_config["partition-id"])
    model, learner = _restored(found, context)
    samples, _ = _batch(found, client, message)
    gradients = message.content["arrays"].to_torch_state_dict()
    model(samples).backward(torch.cat([gradients[key] for key in ("aggregated", "own") if key in gradients]))
    learner.step()
    _keep(model, learner, context)
    row = found.rows[client]
    metrics = MetricRecord({"client": client, "latency_s": row.downlink_s + row.client_backward_s})
    return Message(RecordDict({"metrics": metrics}), reply_to=message)


def _batch(found: Setting, client: int, message: Message) -> tuple[torch.Tensor, torch.Tensor]:
    """Return samples and labels of the round that a message belongs to."""
    batch = found.feed.batch(int(message.metadata.group_id) - 1, client)
    return batch.samples[0], batch.labels[0]


def _restored(found: Setting, context: Context) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """Return the client-side model as the last round left it; Flower may run each round in another process."""
    model = copy.deepcopy(found.client_side).train()
    learner = make_optimiser(model.parameters(), found.options)
    if "model" in context.state:
        model.load_state_dict(context.state["model"].to_torch_state_dict())
        momenta = context.state["momenta"].to_torch_state_dict()
        for name, parameter in model.named_parameters():
            learner.state[parameter]["momentum_buffer"] = momenta[name]
    return model, learner


def _keep(model: torch.nn.Module, learner: torch.optim.Optimizer, context: Context) -> None:
    """Put the model where the next round finds it; it never leaves the client."""
    momenta = {name: learner.state[p]["momentum_buffer"] for name, p in model.named_parameters()}
    context.state["model"] = ArrayRecord(model.state_dict())
    context.state["momenta"] = ArrayRecord(momenta)
