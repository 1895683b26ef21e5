"""How far an aggregated gradient is from the exact one, layer by layer."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import fmean

import torch
from torch import Tensor

from epsl_opt.backends.pytorch.aggregation import (
    Backpropagation,
    layer_wise,
    mean_activation,
    per_client,
    representative,
)
from epsl_opt.backends.pytorch.feed import Batch
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.backends.pytorch.split_step import server_step
from epsl_opt.plugins.study import Cell, Row
from epsl_opt.studies.shared.subsampling import subsample

CUT, SERVER, CLIENT = "gradient at the cut", "server-side model", "client-side models"
"""Places where gradients are compared, besides the server's layers."""


@dataclass(frozen=True)
class Way:
    """A way to get a gradient from fewer rows: a rule, and whether samples are paired by label."""

    rule: Callable[[torch.Generator], Backpropagation]
    by_label: bool = False


WAYS = {
    "mean": Way(lambda _: mean_activation),
    "mean, layer-wise": Way(lambda _: layer_wise),
    "mean, per-client": Way(lambda _: per_client),
    "mean, label": Way(lambda _: mean_activation, by_label=True),
    "representative": Way(representative),
    "representative, label": Way(representative, by_label=True),
    "subsampling": Way(subsample),
}


@dataclass
class Comparison:
    """Gradients of several batches against the exact ones at one place."""

    cosines: list[float] = field(default_factory=list)
    norm_ratios: list[float] = field(default_factory=list)
    relative_errors: list[float] = field(default_factory=list)
    sums: tuple[Tensor, Tensor] | None = None

    def add(self, found: Tensor, exact: Tensor) -> None:
        """Take a batch in."""
        self.cosines.append(cosine(found, exact))
        norm = float(exact.norm())
        self.norm_ratios.append(float(found.norm()) / norm)
        self.relative_errors.append(float((found - exact).norm()) / norm)
        self.sums = (found, exact) if self.sums is None else (self.sums[0] + found, self.sums[1] + exact)

    def row(self, *, summable: bool) -> dict[str, Cell]:
        """Return means over the batches; the cosine of the mean gradients, if batches are `summable`."""
        both = cosine(*self.sums) if summable and self.sums is not None else None
        return {
            "cosine": fmean(self.cosines),
            "cosine_of_means": both,
            "norm_ratio": fmean(self.norm_ratios),
            "relative_error": fmean(self.relative_errors),
        }


def compare_ways(session: TorchSession, first_round: int, batches: int, seed: int) -> Iterator[Row]:
    """Yield a row per way and place: all positions aggregated (phi = 1), against PSL's gradient of the same batches.

    The session's models are left as they are; batches are those that would follow `first_round` rounds. Every way
    that draws draws the same.
    """
    rules = {name: way.rule(torch.Generator().manual_seed(seed)) for name, way in WAYS.items()}
    found: dict[tuple[str, str], Comparison] = {}
    for number in range(batches):
        plain = session.batch(first_round + number)
        both = {False: plain, True: sorted_by_label(plain)}
        exact = {
            by_label: gradients(session, dataclasses.replace(batch, aggregated=0), mean_activation)
            for by_label, batch in both.items()
        }
        for name, way in WAYS.items():
            whole = dataclasses.replace(both[way.by_label], aggregated=plain.labels.shape[1])
            for place, gradient in gradients(session, whole, rules[name]).items():
                found.setdefault((name, place), Comparison()).add(gradient, exact[way.by_label][place])
    for (name, place), comparison in found.items():
        yield {"way": name, "place": place, **comparison.row(summable=place != CUT)}


def gradients(session: TorchSession, batch: Batch, rule: Backpropagation) -> Mapping[str, Tensor]:
    """Return the gradients that a step would leave at each place, as vectors."""
    models = session.models
    clients, server = copy.deepcopy(models.clients), copy.deepcopy(models.server)
    sent = [client(x) for client, x in zip(clients, batch.samples, strict=True)]
    smashed = torch.stack([tensor.detach() for tensor in sent])
    cut = server_step(server, smashed, batch.labels, models.shares, batch.aggregated, rule).whole(smashed)
    torch.autograd.backward(sent, list(cut))
    layers = {name: _vector(layer) for name, layer in zip(session.server_layers, server, strict=True)}
    found = {name: gradient for name, gradient in layers.items() if len(gradient)}
    whole = {SERVER: torch.cat([*found.values()]), CLIENT: torch.cat([_vector(client) for client in clients])}
    return found | whole | {CUT: cut.flatten()}


def _vector(network: torch.nn.Module) -> Tensor:
    given = [parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None]
    return torch.cat(given) if given else torch.empty(0)


def sorted_by_label(batch: Batch) -> Batch:
    """Return the batch with each client's samples in the order of their labels."""
    order = batch.labels.argsort(dim=1, stable=True)
    samples = torch.stack([x[rows] for x, rows in zip(batch.samples, order, strict=True)])
    return Batch(samples, batch.labels.gather(1, order), batch.aggregated)


def cosine(a: Tensor, b: Tensor) -> float:
    """Return the cosine of the angle between two vectors, 0 if one has no length."""
    norms = float(a.norm() * b.norm())
    return float(a @ b) / norms if norms > 0 else 0.0
