"""Takes a segment's operations out of a network's graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from torch import Tensor, fx
from torch.fx.node import Argument

from epsl_opt.backends.pytorch.dry_run import Step, dry_run, dry_training
from epsl_opt.backends.pytorch.tracing import Traced

BATCH = "batch"


@dataclass(frozen=True)
class Facts:
    """What dry runs tell about the operations of a network, by name.

    Parameters
    ----------
    flops
        Of the forward pass.
    sizes
        Numbers in each tensor that may pass a cut: one row per sample, nothing writes into it later, and gradients
        come back through it.
    numbers
        Integers of the program: what they are for this shape of input, or `BATCH` for the number of samples.
    """

    flops: dict[str, int]
    sizes: dict[str, int]
    numbers: dict[str, int | str]


def gather(name: str, traced: Traced, example: Tensor) -> Facts:
    """Run a network dry with two sizes of the batch, and in training, and see what changes.

    Raises
    ------
    InputError
        If the network does not take such an input.
    """
    few, more = (dry_run(name, traced, example.new_zeros((n, *example.shape[1:]))) for n in (2, 3))
    trained = dry_training(name, traced, example.new_zeros((2, *example.shape[1:])))
    pairs = {key: (step, more[key]) for key, step in few.items()}
    numbers = {key: _number(*pair) for key, pair in pairs.items()}
    return Facts(
        flops={key: step.flops for key, step in few.items()},
        sizes={key: prod(pair[0].shape or ()) for key, pair in pairs.items() if _may_pass(*pair, trained[key])},
        numbers={key: number for key, number in numbers.items() if number is not None},
    )


def _may_pass(two: Step, three: Step, trained: Step) -> bool:
    if not two.shape or not three.shape or two.overwritten or trained.overwritten or trained.barred:
        return False
    return (two.shape[0], three.shape[0]) == (2, 3) and two.shape[1:] == three.shape[1:]


def _number(two: Step, three: Step) -> int | str | None:
    if two.integer == three.integer:
        return two.integer
    return BATCH if (two.integer, three.integer) == (2, 3) else None


def extract(nodes: Sequence[fx.Node], given: fx.Node, result: fx.Node, facts: Facts) -> fx.Graph:
    """Return a graph of `nodes` alone, which takes the value of `given` and returns that of `result`.

    What the nodes read from the network, and integers from before, come along.
    """
    graph = fx.Graph()
    copies: dict[fx.Node, Argument] = {given: graph.placeholder("x")}

    def copied(node: fx.Node) -> Argument:
        if node not in copies:
            copies[node] = _outside(graph, copies[given], node, facts)
        return copies[node]

    for node in nodes:
        copies[node] = graph.node_copy(node, copied)
    graph.output(copied(result))
    return graph


def _outside(graph: fx.Graph, x: Argument, node: fx.Node, facts: Facts) -> Argument:
    number = facts.numbers.get(node.name)
    if number is None:
        return graph.node_copy(node)
    return graph.call_method("size", (x, 0)) if number == BATCH else number
