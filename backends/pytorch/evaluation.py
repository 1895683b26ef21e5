"""Scores of models on test samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from epsl_opt.plugins.backend import DivergenceError, Scores

ROWS = 1000
"""Samples of one pass."""


@torch.inference_mode()
def evaluate(clients: Sequence[nn.Module], server: nn.Module, samples: Tensor, labels: Tensor, classes: int) -> Scores:
    """Return the mean scores of every client-side model together with the server's; networks are in evaluation mode.

    Macro-F1 is the mean over the classes that occur among `labels`.

    Raises
    ------
    DivergenceError
        If an answer is not finite.
    """
    confusions = torch.stack([_confusion(client, server, samples, labels, classes) for client in clients])
    correct = confusions.diagonal(dim1=1, dim2=2)
    actual, predicted = confusions.sum(2), confusions.sum(1)
    accuracy = correct.sum(1) / actual.sum(1)
    f1 = (2 * correct / (actual + predicted).clamp(min=1))[:, actual[0] > 0]
    return Scores(float(accuracy.mean()), float(f1.mean()))


def _confusion(client: nn.Module, server: nn.Module, samples: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return counts as float64, shape (classes, classes): rows are labels, columns predictions."""
    # Networks may write over what they are given.
    answers = torch.cat([_answer(server(client(part.clone()))) for part in torch.split(samples, ROWS)])
    counts = torch.bincount(labels * classes + answers, minlength=classes * classes)
    return counts.view(classes, classes).double()


def _answer(scores: Tensor) -> Tensor:
    """Return each sample's class of the largest score; a class may be ruled out by -inf, but a maximum is finite."""
    largest, answer = scores.max(dim=1)
    if not bool(largest.isfinite().all()):
        raise DivergenceError("evaluation")
    return answer
