"""What each operation of a network gives and costs, found out by running it on tensors without content."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, fx, nn

from epsl_opt.backends.pytorch.counting import FlopCounter, countable_kernels
from epsl_opt.backends.pytorch.randomness import generators_restored, seed_generators
from epsl_opt.backends.pytorch.tracing import Traced
from epsl_opt.backends.pytorch.trial_inputs import what_failed
from epsl_opt.core.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One operation.

    Parameters
    ----------
    shape
        Of the tensor it gives, batch first; None if it gives anything else than one tensor of floating-point numbers.
    flops
        Of the forward pass.
    overwritten
        Whether a later operation writes into that tensor.
    barred
        Whether what is trained before it gets no gradient through it, since the gradient is stopped further on.
    integer
        What it gives, if that is an integer, such as the length of an axis.
    """

    shape: tuple[int, ...] | None
    flops: int
    overwritten: bool = False
    barred: bool = False
    integer: int | None = None


def dry_run(name: str, traced: Traced, example: Tensor) -> dict[str, Step]:
    """Run the graph in evaluation mode and return its steps by the names of the nodes.

    Raises
    ------
    InputError
        If the network does not take such an input.
    """
    return on_copy(name, traced.module(traced.graph), example, _record)


def dry_training(name: str, traced: Traced, example: Tensor) -> dict[str, Step]:
    """Do the same in training mode.

    Raises
    ------
    InputError
        If the network can't be trained on such an input.
    """
    return on_copy(name, traced.module(traced.graph), example, lambda module, x: _record(module, x, training=True))


def output_shape(name: str, module: nn.Module, example: Tensor) -> tuple[int, ...]:
    """Return the shape of what a module returns in evaluation.

    Raises
    ------
    InputError
        If it does not take such an input.
    """
    return on_copy(name, module, example, lambda copied, x: tuple(copied.eval()(x).shape))


def on_copy(name: str, module: nn.Module, example: Tensor, run: Callable[[nn.Module, Tensor], T]) -> T:
    """Call `run` with a copy of the module and the input, both without content, so that nothing is computed.

    Not every operation knows its result without content; if one does not, the copy is a real one.

    Raises
    ------
    InputError
        If the module does not take such an input.
    """
    with suppress(Exception), countable_kernels(), torch.device("meta"):
        return run(_without_content(module), torch.empty_like(example, device="meta"))
    try:
        with countable_kernels(), generators_restored():
            seed_generators(0)
            return run(copy.deepcopy(module), example)
    except Exception as error:
        shape = "x".join(map(str, example.shape[1:]))
        raise InputError(f"network {name}", f"does not run on an input of {shape}: {what_failed(error)}") from error


def _without_content(module: nn.Module) -> nn.Module:
    """Return a copy whose parameters and buffers have a shape only."""
    memo: dict[int, object] = {}
    for parameter in module.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), parameter.requires_grad)
    for buffer in module.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(module, memo)


def _record(module: nn.Module, example: Tensor, *, training: bool = False) -> dict[str, Step]:
    recorder = _Recorder(module.train(training), garbage_collect_values=False)
    return recorder.steps(recorder.run(example))


class _Recorder(fx.Interpreter):
    """Runs a graph node by node."""

    def __init__(self, module: nn.Module, garbage_collect_values: bool) -> None:
        super().__init__(module, garbage_collect_values)
        self._flops: dict[fx.Node, int] = {}
        self._versions: dict[fx.Node, int] = {}

    def run_node(self, n: fx.Node) -> object:
        """Count FLOPs, and note how often the result has been written to so far."""
        with FlopCounter() as counter:
            result = super().run_node(n)
        self._flops[n] = counter.flops
        if isinstance(result, Tensor):
            self._versions[n] = result._version
        return result

    def steps(self, result: object) -> dict[str, Step]:
        """Return what was recorded."""
        barred = self._barred(result)
        return {node.name: self._step(node, node in barred) for node in self._flops}

    def _step(self, node: fx.Node, barred: bool) -> Step:
        value, flops = self.env.get(node), self._flops[node]
        if isinstance(value, Tensor) and value.is_floating_point():
            return Step(tuple(value.shape), flops, value._version > self._versions[node], barred)
        return Step(None, flops, integer=value if type(value) is int else None)

    def _barred(self, result: object) -> set[fx.Node]:
        """Return the nodes whose values want a gradient that the result does not send back to them."""
        wanting = [node for node in self._flops if isinstance(v := self.env.get(node), Tensor) and v.requires_grad]
        if not isinstance(result, Tensor) or not result.requires_grad:
            return set(wanting)
        values = [self.env[node] for node in wanting]
        gradients = torch.autograd.grad(result.sum(), values, allow_unused=True)
        return {node for node, gradient in zip(wanting, gradients, strict=True) if gradient is None}
