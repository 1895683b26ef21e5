"""Optimisers that live across rounds, with learning rates that are a function of the round."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from epsl_opt.backends.pytorch.options import DEFAULT_MOMENTUM, LrSchedule, Optimizer, TorchOptions


def make_optimiser(parameters: Iterable[nn.Parameter], options: TorchOptions) -> torch.optim.Optimizer | None:
    """Return the optimiser of a model's parameters, None if it has none to train."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    if not trained:
        return None
    match options.optimizer:
        case Optimizer.SGD:
            momentum = DEFAULT_MOMENTUM if options.momentum is None else options.momentum
            return torch.optim.SGD(trained, options.lr, momentum, weight_decay=options.weight_decay)
        case Optimizer.ADAM:
            return torch.optim.Adam(trained, options.lr, weight_decay=options.weight_decay)
        case Optimizer.ADAMW:
            return torch.optim.AdamW(trained, options.lr, weight_decay=options.weight_decay)


def kept_names(optimiser: torch.optim.Optimizer, parameter: torch.Tensor) -> dict[str, torch.Size]:
    """Return what an optimiser keeps of a parameter from its first step on, and the shape of each."""
    if isinstance(optimiser, torch.optim.SGD):
        return {"momentum_buffer": parameter.shape}
    return {"step": torch.Size(), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}


def lr_factor(finished_rounds: int, options: TorchOptions) -> float:
    """Return what the learning rates are multiplied by after so many rounds."""
    match options.lr_schedule:
        case LrSchedule.CONSTANT:
            return 1.0
        case LrSchedule.COSINE:
            return (1 + math.cos(math.pi * min(finished_rounds / options.lr_rounds, 1.0))) / 2
        case LrSchedule.STEP:
            return options.lr_factor ** (finished_rounds // options.lr_rounds)
