"""One graph for training and evaluation, made from a graph of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import torch
from torch import fx, nn

TRAINING = "training"
"""Target of the node that reads whether the module at hand trains or is evaluated."""


@contextmanager
def modes_restored(module: nn.Module) -> Iterator[None]:
    """Leave every part of a module in the mode, training or evaluation, that it was in."""
    modes = {part: part.training for part in module.modules()}
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def merge(training: fx.Graph, evaluation: fx.Graph, training_root: nn.Module, evaluation_root: nn.Module) -> None:
    """Make the graph for training hold for evaluation too.

    Raises
    ------
    ValueError
        If they differ in more than flags that are true in training alone.
    """
    pairs = list(zip(training.nodes, evaluation.nodes, strict=False))
    if len(training.nodes) != len(evaluation.nodes) or any(a.op != b.op or a.target != b.target for a, b in pairs):
        raise ValueError("it does other operations in training than in evaluation")
    for a, b in pairs:
        if a.op == "get_attr" and not _equal(
            attrgetter(a.target)(training_root), attrgetter(b.target)(evaluation_root)
        ):
            raise ValueError(f"{a.target} is another each time")
        with training.inserting_before(a):
            a.args, a.kwargs = _common(training, a.args, b.args), _common(training, a.kwargs, b.kwargs)


def _equal(a: object, b: object) -> bool:
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return a is b or torch.equal(a, b)
    return bool(a == b)


def _common(graph: fx.Graph, a: Any, b: Any) -> Any:
    """Return what both modes have at a place of their graphs, or a node that reads the mode."""
    if isinstance(a, slice) and isinstance(b, slice):
        return slice(*_common(graph, (a.start, a.stop, a.step), (b.start, b.stop, b.step)))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list) and len(a) == len(b):
        return type(a)(_common(graph, *pair) for pair in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return {key: _common(graph, a[key], b[key]) for key in a}
    if isinstance(a, fx.Node) and isinstance(b, fx.Node) and a.name == b.name:
        return a
    if (a, b) == (True, False):
        return graph.create_node("get_attr", TRAINING)
    if type(a) is type(b) and a == b:
        return a
    raise ValueError(f"it uses {a!r} in training and {b!r} in evaluation")
