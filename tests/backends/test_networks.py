"""Networks by name."""

from __future__ import annotations

import itertools
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision_networks import torchvision_models

from epsl_opt.backends.pytorch import likeness
from epsl_opt.backends.pytorch.chain import Chain
from epsl_opt.backends.pytorch.findings import GRADIENT, Found, differing
from epsl_opt.backends.pytorch.networks import build_chain, network_names
from epsl_opt.backends.pytorch.steadiness import Spare
from epsl_opt.backends.pytorch.trial_inputs import runnable_inputs
from epsl_opt.core.errors import InputError

SHAPES = {"mlp": (12,), "cnn": (1, 8, 8), "lenet5": (1, 28, 28), "resnet18": (3, 32, 32)}


def weights(chain: Chain) -> list[torch.Tensor]:
    """Return all parameters."""
    return list(chain.client_side(len(chain.segments)).parameters())


@pytest.mark.parametrize("name", network_names())
def test_builtin_networks_give_a_logit_for_each_class(name: str) -> None:
    """Every built-in network turns a batch into one row of logits per sample, and trains all of its weights."""
    chain = build_chain(name, SHAPES[name], classes=7, seed=0)
    whole = chain.client_side(len(chain.segments))
    logits = whole(torch.randn(3, *SHAPES[name]))
    assert logits.shape == (3, 7)
    logits.logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in whole.parameters())


@pytest.mark.parametrize("name", network_names())
def test_weights_depend_on_the_seed_alone(name: str) -> None:
    """Equal seeds give equal weights whatever was drawn before, other seeds others, and nothing else sees the draws."""
    state = torch.get_rng_state()
    first = weights(build_chain(name, SHAPES[name], 7, seed=1))
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    again, other = (weights(build_chain(name, SHAPES[name], 7, seed)) for seed in (1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("side", [4, 7, 8, 15, 16, 28, 32, 64])
def test_cnn_takes_any_image(side: int) -> None:
    """`cnn` takes images of any size from 4 x 4 on, with at most 40,000 weights."""
    chain = build_chain("cnn", (3, side, side + 1), 10, seed=0)
    assert sum(p.numel() for p in weights(chain)) <= 40_000


@pytest.mark.parametrize("name", ["cnn", "mlp"])
def test_identity_makes_a_linear_network(name: str) -> None:
    """With `activation=identity` a network is affine in its input, with tanh it is not."""
    for activation, affine in (("identity", True), ("tanh", False)):
        chain = build_chain(f"{name}:activation={activation}", (1, 8, 8), 10, seed=0)
        whole = chain.client_side(len(chain.segments)).double()
        x, y = torch.randn(2, 4, 1, 8, 8, dtype=torch.float64)
        assert torch.allclose(whole(x) + whole(y), whole(x + y) + whole(torch.zeros_like(x)), atol=1e-9) is affine


def test_options_change_width_and_depth() -> None:
    """`mlp:width=..,depth=..` has so many neurons in so many hidden layers."""
    chain = build_chain("mlp:width=5,depth=3", (12,), 4, seed=0)
    shapes = [tuple(p.shape) for p in weights(chain) if p.dim() == 2]
    assert (chain.names, shapes) == (("fc1", "fc2", "fc3", "fc4"), [(5, 12), (5, 5), (5, 5), (4, 5)])


FACTORIES = """
from torch import nn
def body(n):
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, n))
def by_classes(classes):
    return body(classes)
def by_num_classes(width=3, *, num_classes=2):
    return body(num_classes)
def fixed():
    return body(3)
def broken():
    raise ValueError("no luck")
def text():
    return "network"
"""


@pytest.fixture
def factories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Go to a folder with a module of factories, and return its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "networks_of_mine", raising=False)
    (tmp_path / "networks_of_mine.py").write_text(FACTORIES)
    return "networks_of_mine"


@pytest.mark.parametrize(("factory", "classes"), [("by_classes", 4), ("by_num_classes", 4), ("fixed", 3)])
def test_own_factories_are_called(factories: str, factory: str, classes: int) -> None:
    """`module:factory` from the current folder is called with the number of classes if it takes it."""
    chain = build_chain(f"{factories}:{factory}", (12,), classes, seed=0)
    assert (chain.names, weights(chain)[-1].numel()) == (("1", "3"), classes)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("{}:broken", "network networks_of_mine:broken: ValueError: no luck"),
        ("{}:text", "must give a torch.nn.Module, gave str"),
        ("{}:absent", "has no attribute 'absent'"),
        ("{}:fixed", "returns 3 numbers for a sample, not one for each of 7 classes"),
        ("nowhere:fixed", "ModuleNotFoundError: No module named 'nowhere'"),
        ("cnm", "unknown name 'cnm'; did you mean cnn"),
        ("mlp:dept=3", "network mlp: option: unknown name 'dept'; did you mean depth?"),
        ("mlp:depth=0", "network mlp: depth: "),
        ("mlp:activation=step", "network mlp: activation: .*'leaky-relu'"),
        ("mlp:", "network mlp: option: must be KEY=VALUE"),
        ("cnn", "network cnn: takes images of at least 4 x 4, not an input of 12"),
        ("lenet5", "network lenet5: takes images of at least 12 x 12"),
        ("resnet18", "network resnet18: does not run on an input of 12: "),
    ],
)
def test_wrong_names_and_inputs_are_one_line(factories: str, spec: str, problem: str) -> None:
    """What can't be built is an error of one line that names the network and the reason."""
    with pytest.raises(InputError, match=problem) as error:
        build_chain(spec.format(factories), (12,), 7, seed=0)
    assert "\n" not in str(error.value)


def test_gradients_of_nothing_but_rounding_are_no_difference() -> None:
    """A gradient that is zero but for rounding may round otherwise; what exceeds rounding, or isn't there, is named."""
    large, noise = f"{GRADIENT}a", f"{GRADIENT}b"
    first = {large: torch.tensor([50.0]), noise: torch.tensor([2e-5]), "mean": torch.tensor([2e-5])}
    assert not list(differing(first, first | {noise: torch.tensor([-1e-5])}))
    for value in (torch.tensor([1e-2]), torch.tensor([torch.nan]), None):
        assert list(differing(first, first | {noise: value})) == [noise]
    for other in (large, "mean"):
        assert list(differing(first, first | {other: -first[other]})) == [other]


@pytest.mark.parametrize(
    "name", ["squeezenet1_1", "mobilenet_v3_small", "efficientnet_b0", "googlenet", "swin_t", "vit_b_32"]
)
def test_torchvision_networks_are_their_chains(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A classification model of torchvision, cut into a chain, returns what the model does, in both modes.

    The transformers are made with fewer and narrower layers.
    """
    models = torchvision_models()
    narrow = {
        "vit_b_32": partial(models.VisionTransformer, 64, 32, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=32),
        "swin_t": partial(models.SwinTransformer, [4, 4], 16, depths=[2, 2], num_heads=[2, 4], window_size=[7, 7]),
    }
    genuine = narrow.get(name, partial(models.get_model, name, weights=None))
    made: list[nn.Module] = []
    monkeypatch.setattr(models, "get_model", lambda _, weights, **options: made.append(genuine(**options)) or made[0])
    chain = build_chain(name, (3, 64, 64), 1000, seed=0)
    assert len(chain.segments) > 5
    x = torch.randn(2, 3, 64, 64)
    for training in (False, True):
        outputs = []
        for module in (made[0].train(training), chain.client_side(len(chain.segments)).train(training)):
            torch.manual_seed(0)
            with torch.no_grad():
                outputs.append(module(x))
        assert torch.equal(*outputs)


@pytest.mark.parametrize("name", ["efficientnet_b0", "mobilenet_v3_small"])
def test_operations_that_round_otherwise_are_no_dependence(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network is accepted though another number of threads rounds its sums otherwise in the next pass."""
    threads = itertools.cycle([1, 2])
    passed = likeness._Comparison._repeated

    def repeated(self: likeness._Comparison) -> Found:
        torch.set_num_threads(next(threads))
        return passed(self)

    monkeypatch.setattr(likeness._Comparison, "_repeated", repeated)
    before = torch.get_num_threads()
    try:
        assert len(build_chain(name, (3, 64, 64), 10, seed=0).segments) > 5
    finally:
        torch.set_num_threads(before)


class _Remembering(nn.Module):
    """Adds a little that depends on what it saw before, and on nothing that a checkpoint keeps."""

    def __init__(self, amount: float) -> None:
        super().__init__()
        self.layer, self.amount, self.seen = nn.Linear(4, 3), amount, [0.0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits and remember their mean."""
        y: torch.Tensor = self.layer(x) + self.amount * self.seen[-1]
        self.seen.append(float(y.detach().mean()))
        return y


@pytest.mark.parametrize(("amount", "steady"), [(0.0, True), (1e-5, False), (1.0, False)])
def test_what_is_remembered_is_no_rounding(amount: float, steady: bool) -> None:
    """In float64 a dependence on earlier passes is told from rounding, however small it is beside the output."""
    network = _Remembering(amount)
    assert Spare(network, runnable_inputs(network, torch.zeros(1, 4))).is_steady() is steady


def test_a_network_that_does_not_run_in_float64_is_not_called_steady() -> None:
    """What can't be tried in float64 stays what it was found to be."""

    class Single(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.layer(x.float())
            return y

    network = Single()
    assert not Spare(network, runnable_inputs(network, torch.zeros(1, 4))).is_steady()
