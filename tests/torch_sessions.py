"""Small trainings for tests: three clients, a hand-made chain of segments, synthetic data."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from epsl_opt import Instance, Schedule, load_instance
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import CutLayer, ModelProfile
from epsl_opt.plugins.backend import TrainingPlan

FEATURES, HIDDEN, CLASSES, CLIENTS = 6, 5, 3, 3
BITS = 32


def chain(seed: int = 0, dropout: float = 0.0) -> Chain:
    """Return a chain of three segments, without batch normalisation."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = nn.Sequential(nn.Linear(FEATURES, HIDDEN), nn.ReLU())
        second = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.Tanh(), nn.Dropout(dropout))
        return Chain("small", ("first", "second", "third"), (first, second, nn.Linear(HIDDEN, CLASSES)))


def profile() -> ModelProfile:
    """Return the sizes of the chain's tensors, counted by hand; the FLOPs are of no matter here."""
    parameters = [FEATURES * HIDDEN + HIDDEN, HIDDEN * HIDDEN + HIDDEN, HIDDEN * CLASSES + CLASSES]
    cuts = [
        CutLayer(
            name=name,
            client_forward_flops=100.0 * n,
            client_backward_flops=200.0 * n,
            activation_bits=float(BITS * HIDDEN),
            gradient_bits=float(BITS * HIDDEN),
            client_parameter_bits=float(BITS * sum(parameters[:n])),
        )
        for n, name in enumerate(("first", "second"), start=1)
    ]
    return ModelProfile(
        name="small",
        total_forward_flops=300.0,
        total_backward_flops=600.0,
        last_layer_backward_flops=100.0,
        total_parameter_bits=float(BITS * sum(parameters)),
        cut_layers=tuple(cuts),
    )


def dataset(seed: int = 0, train: int = 90, test: int = 40) -> Dataset:
    """Return classes that a line can tell apart, with some noise."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((train + test, FEATURES)).astype(np.float32)
    y = np.argmax(x[:, :CLASSES] + 0.3 * generator.standard_normal((train + test, CLASSES)), axis=1)
    return Dataset("toy", x[:train], y[:train], x[train:], y[train:], ("a", "b", "c"))


def parts(clients: int = CLIENTS, train: int = 90) -> list[np.ndarray[Any, Any]]:
    """Deal samples out unequally."""
    bounds = np.cumsum(np.arange(1, clients + 1)) * train // (clients * (clients + 1) // 2)
    return np.split(np.arange(train), bounds[:-1])


def instance(phi: float, batch_size: int = 4, clients: int = CLIENTS) -> Instance:
    """Return an instance of that network."""
    drawn = load_instance(f"paper:clients={clients},subchannels={2 * clients}")
    training = drawn.with_training(batch_size=batch_size, aggregation_ratio=phi)
    return training.replace(model=profile())


def schedule(clients: int = CLIENTS, cut_layer: int = 0) -> Schedule:
    """Return a schedule; training looks at its cut layer only."""
    return Schedule(cut_layer, np.arange(2 * clients) % clients, np.full(2 * clients, 0.01))


def session(
    framework: Framework = Framework.EPSL,
    phi: float = 0.5,
    *,
    clients: int = CLIENTS,
    batch_size: int = 4,
    cut_layer: int = 0,
    seed: int = 0,
    dropout: float = 0.0,
    average_every: int | None = None,
    validate: bool = True,
    **options: Any,
) -> TorchSession:
    """Return a training that has not begun; options may go beyond their limits where `validate` is false."""
    made = TorchOptions(**options) if validate else TorchOptions.model_construct(**options)
    problem, planned = instance(phi, batch_size, clients), schedule(clients, cut_layer)
    plan = TrainingPlan(problem, planned, framework, "toy", seed, average_every)
    return TorchSession(plan, made, dataset(), parts(clients), chain(dropout=dropout))
