"""Networks that a graph can't hold: they learn as they would alone, or are refused in one line."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from campaign.generated_networks import INPUT, WIDTH, Stacked, differences, random_network
from campaign.network_blocks import MODULES, RUNS, Scripted, blocks
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from epsl_opt.backends.pytorch.chain import chain_of
from epsl_opt.backends.pytorch.row_independence import refuse_rows_that_mix
from epsl_opt.core.errors import InputError

EXAMPLE = torch.zeros(2, *INPUT)
CLASSES = 3


def stacked(*stack: nn.Module, inline: bool = False) -> Stacked:
    """Return a stem, blocks and a head."""
    return Stacked(stack, [inline] * len(stack), CLASSES)


@given(st.integers(0, 2**32))
@settings(max_examples=6)
def test_what_is_accepted_learns_as_its_network(seed: int) -> None:
    """A network of random blocks is refused, or its chain takes the very steps that it takes."""
    make, shape, _ = random_network(np.random.default_rng(seed))
    network = make()
    with contextlib.suppress(InputError):
        chain = chain_of("generated", network, torch.zeros(2, *shape))
        assert differences(network, chain, shape, seed) == []


REFUSED_INLINE = {
    "constant noise": "another each time",
    "no gradient": "a block without gradients .*belongs into a module of its own",
    "autocast": "a block in another precision .*belongs into a module of its own",
    "layer drop": "draws random numbers of Python|other operations in training",
    "counts": "changes the network itself, blocks.0.calls",
    "remembers": "depends on earlier passes|can't be followed",
    "own batch norm": "can't be followed",
    "data": "can't be followed",
}


@pytest.mark.parametrize("kind", REFUSED_INLINE)
def test_what_a_graph_would_lose_is_refused(kind: str) -> None:
    """A network whose own `forward` does what no graph of operations holds is refused, for that reason."""
    with pytest.raises(InputError, match=REFUSED_INLINE[kind]):
        chain_of("odd", stacked(Scripted(WIDTH, RUNS[kind]), inline=True), EXAMPLE)


WHOLE = ("no gradient", "autocast", "layer drop", "numpy drop", "data", "clamps", "own batch norm", "in-place dropout")


@pytest.mark.parametrize("kind", [*WHOLE, "forward hook", "input hook", "backward hook", "lazy", "spectral norm"])
def test_modules_of_their_own_keep_what_a_graph_would_lose(kind: str) -> None:
    """In a module of its own, blocks, hooks and draws stay: the network learns as it would, whatever is random."""
    for sequential in (False, True):
        network = (
            stacked(blocks()[kind](WIDTH))
            if not sequential
            else nn.Sequential(nn.Flatten(), nn.Linear(WIDTH, WIDTH), blocks()[kind](WIDTH), nn.Linear(WIDTH, CLASSES))
        )
        chain = chain_of("odd", network, EXAMPLE)
        assert [found for seed in range(2) for found in differences(network, chain, INPUT, 10 * seed)] == []


class _Odd(nn.Module):
    """Two linear layers, and something about a module that copies or checkpoints do not have."""

    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__()
        self.a, self.b, self.generator, self.passes = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES), None, []
        change(self)

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        return self.b(torch.relu(self.a(x.flatten(1))))


def _scale_gradient(network: Any) -> None:
    network.a.weight.register_hook(lambda gradient: 0.5 * gradient)


def _hook_backward(network: Any) -> None:
    network.register_full_backward_hook(lambda *_: None)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_scale_gradient, "the gradient of a.weight is another in training"),
        (_hook_backward, "has hooks on its backward pass"),
        (lambda network: setattr(network, "generator", random.Random(0)), "keeps a generator .*generator"),
        (lambda network: setattr(network, "generator", np.random.default_rng()), "keeps a generator"),
        (lambda network: network.requires_grad_(False), "has nothing to train"),
        (lambda network: setattr(network, "a", torch.jit.script(network.a)), "before TorchScript compiled it"),
        (lambda network: setattr(network, "a", nn.LazyLinear(WIDTH).double()), "lazy layers, and does not run"),
        (lambda network: setattr(network, "c", nn.LazyLinear(WIDTH)), "lazy layer that never runs, c.weight"),
        (lambda network: network.double(), "dtype"),
        (lambda network: network.half(), "dtype"),
    ],
)
def test_what_copies_do_not_have_is_refused(change: Callable[[Any], Any], problem: str) -> None:
    """Hooks on gradients, own generators, frozen, scripted or unready networks are refused with the reason."""
    with pytest.raises(InputError, match=problem):
        chain_of("odd", _Odd(change), EXAMPLE)


def test_hooks_of_a_sequence_are_run() -> None:
    """An `nn.Sequential` with hooks is not taken apart into children that would never see them."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, CLASSES))
    network.register_forward_hook(lambda _module, _x, output: 3 * output)
    assert differences(network, chain_of("hooked", network, EXAMPLE), INPUT) == []


def test_wrappers_are_taken_off() -> None:
    """Networks wrapped for data parallelism or compilation are cut as what they hold, with their own weights."""
    network = _Odd(lambda _: None)
    for wrapped in (nn.DataParallel(network), torch.compile(network, backend="eager")):
        chain = chain_of("wrapped", wrapped, EXAMPLE)
        assert chain.names == ("a", "b")
        assert next(chain.segments[0].parameters()) is network.a.weight


def test_no_cut_bars_gradients() -> None:
    """Where what is before would be trained but the gradient is stopped behind, there is no place to cut."""
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(WIDTH, WIDTH), Scripted(WIDTH, RUNS["stops the gradient"]), nn.Linear(WIDTH, CLASSES)
    )
    assert chain_of("barred", network, EXAMPLE).names == ("2", "3")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("batch size", "in training depends on the size of its batch"),
        ("over the batch", "in training depends on the others of its batch"),
        ("own batch norm", "in training depends on the others of its batch"),
        ("residual", None),
        ("batch norm", None),
        ("random", None),
        ("layer drop", None),
        ("recurrent", None),
        ("spectral norm", None),
        ("old spectral norm", None),
    ],
)
def test_samples_do_not_see_one_another(kind: str, problem: str | None) -> None:
    """Whatever looks at the batch is refused, but for PyTorch's own batch normalisation, and changes nothing."""
    network = stacked(({**MODULES, **blocks()})[kind](WIDTH))
    before = [tensor.clone() for tensor in network.state_dict().values()]
    if problem is None:
        refuse_rows_that_mix("odd", network, EXAMPLE)
    else:
        with pytest.raises(InputError, match=problem):
            refuse_rows_that_mix("odd", network, EXAMPLE)
    assert all(torch.equal(a, b) for a, b in zip(before, network.state_dict().values(), strict=True))


def test_checking_draws_nothing_and_changes_nothing() -> None:
    """After a network was compared with its chain, generators, weights, attributes and gradients are as before."""
    network = stacked(blocks()["numpy drop"](WIDTH), blocks()["batch norm"](WIDTH))
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    before = {key: value.clone() for key, value in network.state_dict().items()}
    chain_of("plain", network, EXAMPLE)
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())  # noqa: NPY002
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
