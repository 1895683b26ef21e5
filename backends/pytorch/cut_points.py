"""Where a network can be cut: wherever exactly one tensor passes on, and no parameter is used on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, fx, nn

from epsl_opt.backends.pytorch.extraction import Facts, extract, gather
from epsl_opt.backends.pytorch.segment_names import Head, segment_names
from epsl_opt.backends.pytorch.tracing import OWNER, Traced
from epsl_opt.core.errors import InputError

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
    facts = gather(name, traced, example)
    if traced.result.name not in facts.sizes:
        raise InputError(f"network {name}", "does not return one tensor with a row for each sample")
    groups = _grouped(list(_parts(traced, facts)))
    names = segment_names([_head(group) for group in groups])
    return dict(zip(names, _segments(traced, groups, facts), strict=True))


def _parts(traced: Traced, facts: Facts) -> Iterator[Part]:
    nodes = [node for node in traced.graph.nodes if node.op not in ("placeholder", "get_attr", "output")]
    begin, size = 0, facts.sizes.get(traced.input.name, 0)
    for end, result in _places(traced, nodes, facts):
        if result.name in facts.sizes:
            part = tuple(nodes[begin:end])
            computing = tuple(node for node in part if facts.flops[node.name])
            yield Part(part, result, facts.sizes[result.name] < size, computing)
            begin, size = end, facts.sizes[result.name]


def _places(traced: Traced, nodes: Sequence[fx.Node], facts: Facts) -> Iterator[tuple[int, fx.Node]]:
    """Yield how many nodes come before each possible cut, and which one's value passes it; at last, the end."""
    last_use = {value: position for position, node in enumerate(nodes) for value in node.all_input_nodes}
    last_use = {value: position for value, position in last_use.items() if value.name not in facts.numbers}
    last_use[traced.result] = len(nodes)
    last_shared = {id(t): position for position, node in enumerate(nodes) for t in _tensors(traced, node)}
    live, reach = {traced.input}, 0
    for position, node in enumerate(nodes[:-1]):
        live = {value for value in (*live, node) if last_use.get(value, -1) > position}
        reach = max([reach, *(last_shared[id(t)] for t in _tensors(traced, node))])
        if len(live) == 1 and reach <= position and traced.input not in live:
            yield position + 1, next(iter(live))
    yield len(nodes), traced.result


def _tensors(traced: Traced, node: fx.Node) -> list[Tensor]:
    """Return the parameters and buffers that an operation uses."""
    if node.op == "call_module":
        module = traced.attributes[str(node.target)]
        assert isinstance(module, nn.Module)
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


def _head(group: Sequence[Part]) -> Head:
    part = next((part for part in group if part.computing), group[0])
    computing = part.computing or part.nodes[-1:]
    return Head([_path(node) for node in computing], [_path(node) for node in part.nodes])


def _path(node: fx.Node) -> str:
    if node.op == "call_module":
        return str(node.target)
    return ".".join(part for part in (node.meta[OWNER], node.name) if part)


def _segments(traced: Traced, groups: Sequence[Sequence[Part]], facts: Facts) -> Iterator[nn.Module]:
    given = traced.input
    for group in groups:
        nodes = [node for part in group for node in part.nodes]
        yield traced.module(extract(nodes, given, group[-1].result, facts))
        given = group[-1].result
