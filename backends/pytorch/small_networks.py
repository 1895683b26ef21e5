"""Small networks that train fast on a processor: a perceptron, a convolutional network, LeNet-5."""

from __future__ import annotations

from collections import OrderedDict
from enum import StrEnum
from math import prod

from pydantic import Field
from torch import nn

from epsl_opt.core.errors import InputError
from epsl_opt.core.options import Options

Shape = tuple[int, ...]


class Activation(StrEnum):
    """What follows each layer but the last."""

    RELU = "relu"
    LEAKY_RELU = "leaky-relu"
    GELU = "gelu"
    SILU = "silu"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    IDENTITY = "identity"
    """Nothing: the network is linear."""


_ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    Activation.RELU: nn.ReLU,
    Activation.LEAKY_RELU: nn.LeakyReLU,
    Activation.GELU: nn.GELU,
    Activation.SILU: nn.SiLU,
    Activation.TANH: nn.Tanh,
    Activation.SIGMOID: nn.Sigmoid,
    Activation.IDENTITY: nn.Identity,
}


class MlpOptions(Options):
    """Of `mlp`."""

    width: int = Field(default=64, ge=1, le=65_536, description="neurons of each hidden layer")
    depth: int = Field(default=2, ge=1, le=1000, description="number of hidden layers")
    activation: Activation = Field(default=Activation.RELU, description=", ".join(Activation))


class CnnOptions(Options):
    """Of `cnn`."""

    width: int = Field(default=16, ge=1, le=4096, description="channels of the first convolution")
    activation: Activation = Field(default=Activation.RELU, description=", ".join(Activation))


def mlp(shape: Shape, classes: int, options: MlpOptions) -> nn.Sequential:
    """Return a multilayer perceptron."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    given = prod(shape)
    for i in range(1, options.depth + 1):
        layers |= {f"fc{i}": nn.Linear(given, options.width), f"act{i}": _ACTIVATIONS[options.activation]()}
        given = options.width
    layers[f"fc{options.depth + 1}"] = nn.Linear(given, classes)
    return nn.Sequential(layers)


def cnn(shape: Shape, classes: int, options: CnnOptions) -> nn.Sequential:
    """Return two convolutions with average pools, which are linear, and two linear layers; no normalisation."""
    channels, sides = _image("cnn", shape, smallest=4)
    first, second = options.width, 2 * options.width
    # From side 16 on, 4 x 4 numbers of each channel are left, however large the image.
    kernels = [max(2, side // 8) for side in sides]
    left = prod(side // 2 // kernel for side, kernel in zip(sides, kernels, strict=True))
    activation = _ACTIVATIONS[options.activation]
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, first, 3, padding=1),
            act1=activation(),
            pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(first, second, 3, padding=1),
            act2=activation(),
            pool2=nn.AvgPool2d((kernels[0], kernels[1])),
            flatten=nn.Flatten(),
            fc1=nn.Linear(second * left, 4 * options.width),
            act3=activation(),
            fc2=nn.Linear(4 * options.width, classes),
        )
    )


def lenet5(shape: Shape, classes: int) -> nn.Sequential:
    """Return LeNet-5 (LeCun et al., 1998) with tanh; every map of conv2 reads every map of pool1."""
    channels, sides = _image("lenet5", shape, smallest=12)
    left = prod((side // 2 - 4) // 2 for side in sides)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 6, 5, padding=2),
            act1=nn.Tanh(),
            pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            act2=nn.Tanh(),
            pool2=nn.AvgPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(16 * left, 120),
            act3=nn.Tanh(),
            fc2=nn.Linear(120, 84),
            act4=nn.Tanh(),
            fc3=nn.Linear(84, classes),
        )
    )


def _image(name: str, shape: Shape, smallest: int) -> tuple[int, tuple[int, int]]:
    if len(shape) != 3 or min(shape[1:]) < smallest:
        given = "x".join(map(str, shape))
        raise InputError(
            f"network {name}", f"takes images of at least {smallest} x {smallest}, not an input of {given}"
        )
    return shape[0], (shape[1], shape[2])
