"""Networks as chains of segments: the same function, cut where one tensor passes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from draws import examples
from hypothesis import given
from sample_networks import BRANCHING, CLASSES, IMAGE, Branching, Overwriting, Tied, Transformer, sequentials
from torch import Tensor, nn

from epsl_opt.backends.pytorch.chain import Chain, chain_of
from epsl_opt.core.errors import InputError

EXAMPLE = torch.zeros(1, *IMAGE)


def batch(samples: int = 4) -> Tensor:
    """Return some input."""
    return torch.randn(samples, *IMAGE, generator=torch.Generator().manual_seed(1))


def step(module: Any, training: bool, *, cut: int | None = None) -> list[Tensor]:
    """Return the output and the gradients of one forward and backward pass, made repeatable.

    `cut` is the number of segments that only see the rest through the smashed data and its gradient.
    """
    module.train(training).zero_grad()
    torch.manual_seed(3)
    if cut is None:
        output = module(batch())
        output.square().sum().backward()
    else:
        sent = module[:cut](batch())
        received = sent.detach().requires_grad_()
        output = module[cut:](received)
        output.square().sum().backward()
        sent.backward(received.grad)
    return [output, *(p.grad for p in module.parameters() if p.grad is not None)]


def assert_same_function(network: nn.Module, chain: Chain) -> None:
    """The chain does to the last bit what the network does, in both modes, cut or not."""
    whole = copy.deepcopy(network)
    names = {id(p): name for name, p in network.named_parameters()}
    segments = chain.client_side(len(chain.segments))
    assert {names[id(p)] for p in segments.parameters()} == set(names.values())
    order = [names[id(p)] for p in segments.parameters()]
    for training in (True, False):
        before = copy.deepcopy(network.state_dict())
        expected = step(whole, training)
        grads = dict(zip(names.values(), expected[1:], strict=False))
        for cut in (None, *range(1, len(chain.segments))):
            network.load_state_dict(before)
            found = step(segments, training, cut=cut)
            assert torch.equal(found[0], expected[0])
            assert all(torch.equal(g, grads[name]) for g, name in zip(found[1:], order, strict=False))
            assert all(torch.equal(a, b) for a, b in zip(whole.buffers(), network.buffers(), strict=True))


@examples(12)
@given(sequentials())
def test_random_sequentials_are_their_chains(network: nn.Sequential) -> None:
    """Output, gradients and buffers of a cut `nn.Sequential` are its own to the last bit, wherever it is cut."""
    assert_same_function(network, chain_of("random", network, EXAMPLE, proven=True))


@pytest.mark.parametrize("kind", BRANCHING)
def test_branching_networks_are_their_chains(kind: str) -> None:
    """So are those of networks with shortcuts, tied weights, attention, data-dependent children, overwritten input."""
    network = BRANCHING[kind]()
    assert_same_function(network, chain_of(kind, network, EXAMPLE))


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Branching, ("stem", "block1", "block2", "avg_pool2d", "fc1", "fc2")),
        (Tied, ("b", "c", "d")),
        (Transformer, ("patches", "attention", "down", "getitem_2", "head")),
        (Overwriting, ("b", "head")),
    ],
)
def test_cuts_are_where_one_tensor_passes(kind: type[nn.Module], names: tuple[str, ...]) -> None:
    """Shortcuts, weights used twice and tensors that are overwritten later are never cut apart."""
    assert chain_of("cut", kind(), EXAMPLE).names == names


def test_parameters_keep_their_names() -> None:
    """A segment's state dictionary has the network's own names."""
    network = Branching()
    chain = chain_of("branching", network, EXAMPLE)
    assert {key for segment in chain.segments for key in segment.state_dict()} == set(network.state_dict())


@given(sequentials())
def test_segments_begin_where_it_pays(network: nn.Sequential) -> None:
    """Every segment has weights or shrinks the tensor, and the last one alone gives the logits from its weights."""
    chain = chain_of("random", network, EXAMPLE, proven=True)
    x = batch()
    for segment in chain.segments:
        y = segment(x)
        assert any(p.dim() > 1 for p in segment.parameters()) or y.numel() < x.numel()
        x = y
    last = [module for module in chain.segments[-1].modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    assert last == [network[-1]]


def test_nested_sequentials_come_apart() -> None:
    """The children of nested `nn.Sequential` are segments under their own paths, other modules stay whole."""
    inner = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)))
    network = nn.Sequential(nn.BatchNorm2d(3), inner, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, CLASSES))
    assert chain_of("nested", network, EXAMPLE).names == ("1.0", "1.2.0", "2", "4")


def test_modules_that_come_again_are_told_apart() -> None:
    """A pool used twice gives two segments with different names."""

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 1), nn.Linear(16, CLASSES)
            self.pool = nn.MaxPool2d(2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.pool(self.b(self.pool(self.a(x)))).flatten(1))

    assert chain_of("twice", Twice(), EXAMPLE).names == ("a", "pool", "b", "pool#2", "fc")


def test_sides_share_the_segments() -> None:
    """Client side and server side of any cut are the chain's segments in order, not copies."""
    chain = chain_of("branching", Branching(), EXAMPLE)
    for n in range(len(chain.segments) + 1):
        sides = [*chain.client_side(n), *chain.server_side(n)]
        assert all(a is b for a, b in zip(sides, chain.segments, strict=True))


@pytest.mark.parametrize("kind", BRANCHING)
def test_finding_cuts_changes_nothing(kind: str) -> None:
    """Modes, weights, buffers and random numbers are as they were."""
    network = BRANCHING[kind]().train()
    next(network.children()).eval()
    modes, state = [m.training for m in network.modules()], copy.deepcopy(network.state_dict())
    random = torch.get_rng_state()
    chain_of(kind, network, EXAMPLE)
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(a, b) for a, b in zip(state.values(), network.state_dict().values(), strict=True))
    assert torch.equal(torch.get_rng_state(), random)


class _Uncuttable(nn.Module):
    """Takes a part of the network's behaviour to extremes."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.conv, self.fc = way, nn.Conv2d(3, 4, 3), nn.Linear(144, CLASSES)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Run."""
        y = self.fc(self.conv(x).flatten(1))
        ways = {"data": lambda: y if y.sum() > 0 else -y, "pair": lambda: (y, y), "batch": lambda: y.sum(0)}
        if self.way == "mode":
            return y if self.training else y.softmax(1)
        if self.way == "random":
            return y + torch.rand(CLASSES)
        return ways[self.way]()


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        ("data", "network odd: its forward can't be followed .*; write the network as an nn.Sequential"),
        ("mode", "can't be followed .it does other operations in training than in evaluation.; write"),
        ("random", "can't be followed ._tensor_constant0 is another each time.; write"),
        ("pair", "network odd: does not return one tensor$"),
        ("batch", "network odd: does not return one tensor with a row for each sample"),
    ],
)
def test_what_cannot_be_cut_says_why(way: str, problem: str) -> None:
    """A network that can't be followed, or does not return a row per sample, is an error of one line."""
    with pytest.raises(InputError, match=problem):
        chain_of("odd", _Uncuttable(way), EXAMPLE)


def test_single_layer_has_no_cut() -> None:
    """One layer leaves nothing to cut."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(192, CLASSES), nn.ReLU())
    with pytest.raises(InputError, match="network one: has no place to cut it"):
        chain_of("one", network, EXAMPLE)
