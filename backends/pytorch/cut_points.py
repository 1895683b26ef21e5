"""Where a network can be cut: wherever exactly one tensor passes on, and no parameter is used on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from torch import Tensor, fx, nn

from epsl_opt.backends.pytorch.dry_run import Step, dry_run
from epsl_opt.backends.pytorch.segment_names import segment_names
from epsl_opt.backends.pytorch.tracing import OWNER, Traced
from epsl_opt.errors import InputError

Nodes = tuple[fx.Node, ...]


@dataclass(frozen=True, eq=False)
class Part:
    """The operations between two neighbouring places to cut.

    Parameters
    ----------
    nodes
        In the order in which they run.
    result
        The node whose tensor passes on.
    shrinks
        Whether less passes on than comes in.
    computing
        Those of the nodes that cost FLOPs in the forward pass.
    """

    nodes: Nodes
    result: fx.Node
    shrinks: bool
    computing: Nodes


def find_segments(name: str, traced: Traced, example: Tensor) -> dict[str, nn.Module]:
    """Return the segments of a network by name.

    A segment begins with what costs FLOPs, or shrinks the tensor. Elementwise operations, normalisation, dropout and
    changes of shape belong to the segment before them; whatever comes before the first layer or after the last one
    belongs to that layer.

    Raises
    ------
    InputError
        If the network does not take such an input, or does not return one row per sample.
    """
    # Which axis is the batch shows when its size changes.
    few, more = (dry_run(name, traced, example.new_zeros((n, *example.shape[1:]))) for n in (2, 3))
    sizes = {key: prod(step.shape or ()) for key, step in few.items() if _has_row_per_sample(step, more[key])}
    if _result(traced.graph).name not in sizes:
        raise InputError(f"network {name}", "does not return one tensor with a row for each sample")
    groups = _grouped(list(_parts(traced, few, sizes)))
    names = segment_names([_paths(group) for group in groups])
    return dict(zip(names, _segments(traced, groups), strict=True))


def _has_row_per_sample(step: Step, with_more: Step) -> bool:
    if not step.shape or not with_more.shape:
        return False
    return (step.shape[0], with_more.shape[0]) == (2, 3) and step.shape[1:] == with_more.shape[1:]


def _parts(traced: Traced, steps: dict[str, Step], sizes: dict[str, int]) -> Iterator[Part]:
    nodes = [node for node in traced.graph.nodes if node.op not in ("placeholder", "get_attr", "output")]
    begin, size = 0, sizes.get(_input(traced.graph).name, 0)
    for end, result in _places(traced, nodes):
        if result.name in sizes and not steps[result.name].overwritten:
            part = tuple(nodes[begin:end])
            computing = tuple(node for node in part if steps[node.name].flops)
            yield Part(part, result, sizes[result.name] < size, computing)
            begin, size = end, sizes[result.name]


def _places(traced: Traced, nodes: Sequence[fx.Node]) -> Iterator[tuple[int, fx.Node]]:
    """Yield how many nodes come before each possible cut, and which one's value passes it; at last, the end."""
    last_use = {value: position for position, node in enumerate(nodes) for value in node.all_input_nodes}
    result = _result(traced.graph)
    last_use[result] = len(nodes)
    last_shared = {id(t): position for position, node in enumerate(nodes) for t in _tensors(traced, node)}
    live, reach = {_input(traced.graph)}, 0
    for position, node in enumerate(nodes[:-1]):
        live = {value for value in (*live, node) if last_use.get(value, -1) > position}
        reach = max([reach, *(last_shared[id(t)] for t in _tensors(traced, node))])
        if len(live) == 1 and reach <= position and _input(traced.graph) not in live:
            yield position + 1, next(iter(live))
    yield len(nodes), result


def _tensors(traced: Traced, node: fx.Node) -> list[Tensor]:
    """Return the parameters and buffers that an operation uses."""
    if node.op == "call_module":
        module: nn.Module = traced.attributes[str(node.target)]
        return [*module.parameters(), *module.buffers()]
    read = (traced.attributes[str(value.target)] for value in node.all_input_nodes if value.op == "get_attr")
    return [value for value in read if isinstance(value, Tensor)]


def _grouped(parts: Sequence[Part]) -> list[Sequence[Part]]:
    """Join parts to segments."""
    layers = [i for i, part in enumerate(parts) if part.computing]
    if not layers:
        return [parts]
    begins = [i for i, part in enumerate(parts) if part.computing or part.shrinks]
    bounds = [0, *(i for i in begins if layers[0] < i <= layers[-1]), len(parts)]
    return [parts[begin:end] for begin, end in pairwise(bounds)]


def _paths(group: Sequence[Part]) -> list[str]:
    """Return the paths of the operations that a segment is named after."""
    computing = next((part.computing for part in group if part.computing), ())
    return [_path(node) for node in computing or group[0].nodes[-1:]]


def _path(node: fx.Node) -> str:
    if node.op == "call_module":
        return str(node.target)
    return ".".join(part for part in (node.meta[OWNER], node.name) if part)


def _segments(traced: Traced, groups: Sequence[Sequence[Part]]) -> Iterator[nn.Module]:
    given = _input(traced.graph)
    for group in groups:
        nodes = [node for part in group for node in part.nodes]
        yield traced.module(_subgraph(nodes, given, group[-1].result))
        given = group[-1].result


def _subgraph(nodes: Sequence[fx.Node], given: fx.Node, result: fx.Node) -> fx.Graph:
    graph = fx.Graph()
    copies: dict[fx.Node, Any] = {given: graph.placeholder("x")}

    def copied(node: fx.Node) -> Any:
        """Copy what is read from the network when it is first used."""
        if node not in copies:
            copies[node] = graph.node_copy(node)
        return copies[node]

    for node in nodes:
        copies[node] = graph.node_copy(node, copied)
    graph.output(copied(result))
    return graph


def _input(graph: fx.Graph) -> fx.Node:
    first: fx.Node = next(iter(graph.nodes))
    return first


def _result(graph: fx.Graph) -> fx.Node:
    """Return the node whose value the network returns; the input if it returns anything but one value."""
    returned = next(iter(reversed(graph.nodes))).args[0]
    return returned if isinstance(returned, fx.Node) else _input(graph)
