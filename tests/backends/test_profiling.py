"""Costs counted by PyTorch, against those counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from draws import examples
from hypothesis import given
from sample_networks import BRANCHING, CLASSES, IMAGE, sequentials
from torch import Tensor, nn
from torchvision_networks import torchvision_models

from epsl_opt.backends.pytorch import dry_run
from epsl_opt.backends.pytorch.chain import chain_of
from epsl_opt.backends.pytorch.networks import build_chain
from epsl_opt.backends.pytorch.profiling import profile_chain
from epsl_opt.problems import model_profiles
from epsl_opt.problems.network_costs import Layer, convolution, linear, profile

EXAMPLE = torch.zeros(1, *IMAGE)


@pytest.mark.parametrize(
    ("shipped", "network", "image", "classes"),
    [("lenet5-28", "lenet5", 28, 10), ("resnet18-64", "resnet18", 64, 7), ("resnet18-224", "resnet18", 224, 1000)],
)
def test_shipped_profiles_come_out(shipped: str, network: str, image: int, classes: int) -> None:
    """The profile of a built-in network is the shipped one, counted by hand, in every cut, name and number."""
    shape = (1 if network == "lenet5" else 3, image, image)
    counted = profile_chain(build_chain(network, shape, classes, seed=0), shape)
    assert counted.model_copy(update={"name": shipped}) == model_profiles.load(shipped)


@pytest.mark.parametrize("network", ["resnet18", "vgg16", "mobilenet_v2"])
def test_torchvision_costs_what_the_shipped_profiles_say(network: str) -> None:
    """torchvision's networks have in total the FLOPs and parameters of the shipped profiles."""
    shipped = model_profiles.load({"mobilenet_v2": "mobilenetv2-224"}.get(network, f"{network}-224"))
    image = torch.zeros(2, 3, 224, 224)
    chain = chain_of(network, torchvision_models().get_model(network), image, proven=True)
    counted = profile_chain(chain, tuple(image.shape[1:]))
    assert counted.total_forward_flops == shipped.total_forward_flops
    assert counted.total_backward_flops == shipped.total_backward_flops
    assert counted.total_parameter_bits == shipped.total_parameter_bits
    assert counted.last_layer_backward_flops == shipped.last_layer_backward_flops


def test_layers_cost_what_is_counted_by_hand() -> None:
    """A grouped and strided convolution with normalisation, a pool and two linear layers cost what the formulas say."""
    shape = (4, 9, 9)
    network = nn.Sequential(
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24, 7),
        nn.Tanh(),
        nn.Linear(7, CLASSES),
    )
    first = convolution(shape, 6, 3, stride=2, groups=2, normalised=True, reads_data=True)
    layers = [Layer("0", first), Layer("3", type(first)((6, 2, 2)))]
    layers += [Layer("5", linear((24,), 7)), Layer("7", linear((7,), CLASSES))]
    chain = chain_of("by hand", network, torch.zeros(1, *shape))
    assert profile_chain(chain, shape) == profile("by hand", layers)


@examples(10)
@given(sequentials())
def test_sizes_are_those_of_the_tensors(network: nn.Sequential) -> None:
    """Activation, gradient and parameter bits are the sizes of the tensors that pass and of the client's weights."""
    chain = chain_of("random", network, EXAMPLE, proven=True)
    counted = profile_chain(chain, IMAGE)
    assert counted.total_parameter_bits == 32 * sum(p.numel() for p in network.parameters())
    for n, cut in enumerate(counted.cut_layers, start=1):
        client = chain.client_side(n).eval()
        assert cut.name == chain.names[n - 1]
        assert cut.activation_bits == cut.gradient_bits == 32 * client(EXAMPLE).numel()
        assert cut.client_parameter_bits == 32 * sum(p.numel() for p in client.parameters())


class Recurrent(nn.Module):
    """The last state of an LSTM."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(24, 6, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """Read rows of an image one after another."""
        return self.lstm(x.transpose(1, 2).flatten(2))[0][:, -1]


ALL: dict[str, Callable[[], nn.Module]] = {
    **BRANCHING,
    "Recurrent": lambda: nn.Sequential(Recurrent(), nn.Linear(6, CLASSES)),
}


@pytest.mark.parametrize("kind", ALL)
def test_counting_without_content_is_counting_for_real(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors without content cost what real ones do, and neither way changes modes, weights or buffers."""
    network = ALL[kind]()
    chain = chain_of(kind, network, EXAMPLE)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    counted = profile_chain(chain, IMAGE)
    monkeypatch.setattr(dry_run, "_without_content", lambda module: 1 / 0)
    assert profile_chain(chain, IMAGE) == counted
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert all(module.training for module in network.modules())


def test_frozen_layers_cost_no_backward_pass() -> None:
    """Layers that are not trained have no backward FLOPs as long as nothing before them is trained, and no size."""
    chain = build_chain("mlp:depth=3", (12,), CLASSES, seed=0)
    full = profile_chain(chain, (12,))
    for segment in chain.segments[:2]:
        segment.requires_grad_(False)
    frozen = profile_chain(chain, (12,))
    client = frozen.cut_layers[1]
    assert (client.client_backward_flops, client.client_parameter_bits) == (0, 0)
    # The first trained layer, 64 to 64 neurons, needs no gradient of its input.
    assert frozen.total_backward_flops == 2 * 64 * 64 + full.last_layer_backward_flops


def test_attention_counts_its_products() -> None:
    """Attention costs its four projections and its two products, forward, and twice that backward."""
    network = nn.Sequential(nn.Linear(8, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 3))
    counted = profile_chain(chain_of("attention", network, torch.zeros(1, 5, 8)), (5, 8))
    projections, products, feedforward = 4 * 5 * 8 * 8, 2 * 5 * 5 * 8, 2 * 5 * 8 * 16
    forward = counted.cut_layers[1].client_forward_flops - counted.cut_layers[0].client_forward_flops
    backward = counted.cut_layers[1].client_backward_flops - counted.cut_layers[0].client_backward_flops
    assert (forward, backward) == tuple(n * (projections + products + feedforward) for n in (2, 4))


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 6, 3, stride=2, groups=2),
        nn.Conv2d(4, 4, 3, groups=4),
        nn.Conv2d(4, 6, (1, 3), padding=1),
        nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2),
    ],
    ids=str,
)
def test_convolutions_cost_twice_backward(layer: nn.Module) -> None:
    """A convolution costs two FLOPs for every use of a weight, and twice that backward, whatever its groups."""
    network = nn.Sequential(nn.Conv2d(3, 4, 1), layer, nn.Flatten(), nn.LazyLinear(CLASSES))
    network(EXAMPLE)
    first, both = profile_chain(chain_of("convolution", network, EXAMPLE), IMAGE).cut_layers
    given, output = network[0](EXAMPLE), network[:2](EXAMPLE)
    weight = next(layer.parameters())
    places = given if isinstance(layer, nn.ConvTranspose2d) else output
    uses = weight.numel() * places[0, 0].numel()
    assert both.client_forward_flops - first.client_forward_flops == 2 * uses
    assert both.client_backward_flops - first.client_backward_flops == 4 * uses
