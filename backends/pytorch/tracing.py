"""A network as a graph of operations, by symbolic tracing (torch.fx)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from torch import Tensor, fx, nn

from epsl_opt.backends.pytorch.modes import TRAINING, merge, modes_restored
from epsl_opt.backends.pytorch.module_state import Watch
from epsl_opt.backends.pytorch.randomness import Generators
from epsl_opt.backends.pytorch.surroundings import surroundings, what_differs
from epsl_opt.core.errors import InputError

OWNER = "owner"
"""Key of a node's `meta`: path of the module whose `forward` made the node."""

_ROOT = "network"


@dataclass(frozen=True, eq=False)
class Traced:
    """A network as a graph, and the modules, parameters and buffers that the graph names."""

    graph: fx.Graph
    attributes: dict[str, object]
    training: bool

    @property
    def input(self) -> fx.Node:
        """The node of the network's input."""
        first: fx.Node = next(iter(self.graph.nodes))
        return first

    @property
    def result(self) -> fx.Node:
        """The node whose value the network returns."""
        returned: fx.Node = next(iter(reversed(self.graph.nodes))).args[0]
        return returned

    def module(self, graph: fx.Graph) -> fx.GraphModule:
        """Return a module that runs `graph`, a part of this one, with the network's own parameters."""
        named = {node.target for node in graph.nodes if node.op in ("call_module", "get_attr")}
        made = fx.GraphModule({target: self.attributes[target] for target in named}, graph)
        made.training = self.training
        return made


def trace(name: str, network: nn.Module) -> Traced:
    """Follow a network's operations; modules of torch.nn stay whole, as do children that can't be followed.

    The children of nested `nn.Sequential` come one after another, and are not looked into. What a graph does not have
    (hooks, blocks without gradients, changes to the module itself, numbers drawn by Python) can't be followed.

    Raises
    ------
    InputError
        If the network is no `nn.Sequential`, and its own `forward` can't be followed or returns several values.
    """
    owner, graph = (_OneInput(network), _sequence(network)) if _is_sequence(network) else _in_both_modes(name, network)
    if not all(isinstance(node.args[0], fx.Node) for node in graph.nodes if node.op == "output"):
        raise InputError(f"network {name}", "does not return one tensor")
    attributes: dict[str, object] = {TRAINING: network.training}
    for node in graph.nodes:
        if node.op in ("call_module", "get_attr") and node.target != TRAINING:
            value = attrgetter(node.target)(owner)
            node.target = node.target.removeprefix(f"{_ROOT}.")
            attributes[node.target] = value
        node.meta[OWNER] = node.meta.get(OWNER, "").removeprefix(_ROOT).removeprefix(".")
    return Traced(graph, attributes, network.training)


class _OneInput(nn.Module):
    """Leaves the other arguments of the network's `forward` at their defaults."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> object:
        return self.network(x)


def _is_sequence(module: nn.Module) -> bool:
    return getattr(type(module), "forward", None) is nn.Sequential.forward and not _is_hooked(module)


def _is_hooked(module: nn.Module) -> bool:
    """Return whether calling a module does more than its class says."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(hooks) or "forward" in vars(module)


def _sequence(network: nn.Module) -> fx.Graph:
    graph = fx.Graph()
    node = graph.placeholder("x")
    for path in _flattened(network, _ROOT):
        node = graph.call_module(path, (node,))
    graph.output(node)
    return graph


def _flattened(module: nn.Module, path: str) -> Iterator[str]:
    if not _is_sequence(module):
        yield path
        return
    # `named_children` would leave out a module that comes a second time.
    for key, child in module._modules.items():
        if child is not None:
            yield from _flattened(child, f"{path}.{key}")


def _in_both_modes(name: str, network: nn.Module) -> tuple[_OneInput, fx.Graph]:
    """Trace for training and for evaluation; where the two differ in a flag, read it from the module that runs."""
    generators = Generators()
    try:
        if network._backward_hooks or network._backward_pre_hooks:
            raise ValueError("it has hooks on its backward pass")
        with modes_restored(network):
            (owner, training), (other, evaluation) = _traced_alike(network)
        merge(training, evaluation, owner, other)
        _refuse_draws(generators)
    except Exception as error:
        problem = f"its forward can't be followed ({error}); write the network as an nn.Sequential of its stages"
        raise InputError(f"network {name}", problem) from error
    return owner, training


def _traced_alike(network: nn.Module) -> list[tuple[_OneInput, fx.Graph]]:
    """Trace in both modes, keeping whole in both what can't be followed in one of them."""
    whole: set[str] = set()
    while True:
        known = len(whole)
        # What a tracer finds to be constant it sets as an attribute of the module it is given.
        owners = [_OneInput(network), _OneInput(network)]
        graphs = [_Tracer(whole).trace(owner.train(mode)) for owner, mode in zip(owners, (True, False), strict=True)]
        if len(whole) == known:
            return list(zip(owners, graphs, strict=True))


def _refuse_draws(before: Generators) -> None:
    """Refuse random numbers that were drawn while a module was followed: the graph would draw none."""
    if drawn := before.drawn_from():
        raise ValueError(f"it draws random numbers of {' and '.join(drawn)} that do not come from its input's shape")


def _refuse_changes(watch: Watch, *, noted: bool) -> None:
    """Refuse what a module changed of itself while it was followed: the graph would not; `noted` tensors may be."""
    lost = [path for path, matters in watch.changed_attributes().items() if matters or not noted]
    if lost := [*lost, *watch.changed_tensors()]:
        raise ValueError(f"it changes the network itself, {lost[0]}")


class _Tracer(fx.Tracer):
    """Keeps whole what can't be followed, and notes for each node in whose `forward` it was made."""

    def __init__(self, whole: set[str]) -> None:
        super().__init__()
        self._outside, self._whole = surroundings(), whole

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Look into the network even if it is a module of torch.nn; hooks are run by whole modules only."""
        if module_qualified_name == _ROOT:
            return False
        return module_qualified_name in self._whole or super().is_leaf_module(m, module_qualified_name) or _is_hooked(m)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """Note the owner."""
        if within := what_differs(self._outside, surroundings()):
            raise ValueError(f"it has a block {within}, which belongs into a module of its own")
        node = super().create_node(*args, **kwargs)
        node.meta[OWNER] = self.scope.module_path
        return node

    def call_module(
        self, m: nn.Module, forward: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> object:
        """Follow a module; if that fails, forget what was traced of it and keep it whole."""
        path, before, stack = self.path_of_module(m), len(self.graph.nodes), OrderedDict(self.module_stack)
        watch, generators = Watch(m), Generators()
        try:
            found = super().call_module(m, forward, args, kwargs)
            _refuse_changes(watch, noted=path == _ROOT)
            if path != _ROOT:
                _refuse_draws(generators)
            return found
        except Exception:
            if path == _ROOT:
                raise
            self._whole.add(path)
            watch.restore_attributes()
            generators.go_back()
            self.module_stack = stack
            for node in reversed(list(self.graph.nodes)[before:]):
                self.graph.erase_node(node)
            return self.create_proxy("call_module", path, args, kwargs)
