"""The networks whose profiles are shipped; `python -m epsl_opt.problems.architectures` writes the files anew.

A cut is where exactly one tensor passes from layer to layer: convolutions (with normalisation and activation), pools
that shrink the tensor, linear layers; a block around which a shortcut leads is one layer.
"""

from __future__ import annotations

from math import prod

from epsl_opt.core.instance import ModelProfile
from epsl_opt.core.json_text import format_json
from epsl_opt.problems.model_profiles import FOLDER
from epsl_opt.problems.network_costs import Cost, Layer, Shape, convolution, linear, matrix_product, profile


class _Chain:
    """A network under construction: each layer reads what the one before it leaves."""

    def __init__(self, data: Shape) -> None:
        self.layers: list[Layer] = []
        self.output = data

    def add(self, name: str, cost: Cost) -> None:
        self.layers.append(Layer(name, cost))
        self.output = cost.output

    def pool(self, name: str, side: int) -> None:
        self.add(name, Cost((self.output[0], side, side)))

    def flatten(self) -> None:
        self.output = (prod(self.output),)


def resnet18(image: int, classes: int) -> list[Layer]:
    """ResNet-18 (He et al., 2016) with its 7x7 stem, on 3 x image x image."""
    chain = _Chain((3, image, image))
    chain.add("conv1", convolution(chain.output, 64, 7, stride=2, normalised=True, reads_data=True))
    chain.pool("maxpool", (chain.output[1] - 1) // 2 + 1)
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            stride = 2 if stage > 1 and block == 0 else 1
            chain.add(f"layer{stage}.{block}", _basic_block(chain.output, channels, stride))
    chain.pool("avgpool", 1)
    chain.flatten()
    chain.add("fc", linear(chain.output, classes))
    return chain.layers


def _basic_block(given: Shape, channels: int, stride: int) -> Cost:
    first = convolution(given, channels, 3, stride=stride, normalised=True)
    block = first.then(convolution(first.output, channels, 3, normalised=True))
    if stride == 1 and given[0] == channels:
        return block
    return convolution(given, channels, 1, stride=stride, normalised=True).then(block)


def vgg16(image: int, classes: int) -> list[Layer]:
    """VGG-16, configuration D (Simonyan and Zisserman, 2015)."""
    chain = _Chain((3, image, image))
    for stage, (channels, depth) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for i in range(1, depth + 1):
            chain.add(f"conv{stage}_{i}", convolution(chain.output, channels, 3, reads_data=not chain.layers))
        chain.pool(f"pool{stage}", chain.output[1] // 2)
    chain.flatten()
    for name, features in (("fc6", 4096), ("fc7", 4096), ("fc8", classes)):
        chain.add(name, linear(chain.output, features))
    return chain.layers


def mobilenetv2(image: int, classes: int) -> list[Layer]:
    """MobileNetV2 of width 1 (Sandler et al., 2018)."""
    chain = _Chain((3, image, image))
    chain.add("stem", convolution(chain.output, 32, 3, stride=2, normalised=True, reads_data=True))
    stages = (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    )
    for stage, (expansion, channels, repeats, first_stride) in enumerate(stages, start=1):
        for block in range(repeats):
            stride = first_stride if block == 0 else 1
            chain.add(f"block{stage}.{block}", _inverted_residual(chain.output, expansion, channels, stride))
    chain.add("head", convolution(chain.output, 1280, 1, normalised=True))
    chain.pool("avgpool", 1)
    chain.flatten()
    chain.add("classifier", linear(chain.output, classes))
    return chain.layers


def _inverted_residual(given: Shape, expansion: int, channels: int, stride: int) -> Cost:
    hidden = given[0] * expansion
    expanded = Cost(given) if expansion == 1 else convolution(given, hidden, 1, normalised=True)
    depthwise = expanded.then(convolution(expanded.output, hidden, 3, stride=stride, groups=hidden, normalised=True))
    return depthwise.then(convolution(depthwise.output, channels, 1, normalised=True))


def lenet5(classes: int) -> list[Layer]:
    """LeNet-5 (LeCun et al., 1998) on 1 x 28 x 28 padded to 32 x 32, every map of conv2 reading every map of pool1."""
    chain = _Chain((1, 28, 28))
    chain.add("conv1", convolution(chain.output, 6, 5, reads_data=True))
    chain.pool("pool1", 14)
    chain.add("conv2", convolution(chain.output, 16, 5, padding=0))
    chain.pool("pool2", 5)
    chain.flatten()
    for name, features in (("fc1", 120), ("fc2", 84), ("fc3", classes)):
        chain.add(name, linear(chain.output, features))
    return chain.layers


def transformer_encoder(
    *, vocabulary: int, sequence: int, width: int, feedforward: int, blocks: int, classes: int
) -> list[Layer]:
    """An encoder-only text classifier (Vaswani et al., 2017): learned positions, mean over tokens, linear head.

    The head count does not matter: it changes neither parameters nor products.
    """
    chain = _Chain((sequence,))
    chain.add("embedding", Cost((sequence, width), parameters=(vocabulary + sequence) * width))
    for block in range(1, blocks + 1):
        chain.add(f"block{block}.attention", _attention(chain.output))
        chain.add(f"block{block}.feedforward", _feedforward(chain.output, feedforward))
    chain.add("mean", Cost((width,)))
    chain.add("classifier", linear(chain.output, classes))
    return chain.layers


def _attention(given: Shape) -> Cost:
    sequence, width = given
    projections = linear(given, 3 * width)
    scores = matrix_product((sequence, sequence), width)
    values = matrix_product((sequence, width), sequence)
    return projections.then(scores).then(values).then(linear(given, width)).then(_layer_norm(given))


def _feedforward(given: Shape, hidden: int) -> Cost:
    inner = linear(given, hidden)
    return inner.then(linear(inner.output, given[-1])).then(_layer_norm(given))


def _layer_norm(given: Shape) -> Cost:
    return Cost(given, parameters=2 * given[-1])


def profiles() -> tuple[ModelProfile, ...]:
    """Count every shipped network anew."""
    return (
        profile("resnet18-64", resnet18(64, classes=7)),
        profile("resnet18-224", resnet18(224, classes=1000)),
        profile("vgg16-224", vgg16(224, classes=1000)),
        profile("mobilenetv2-224", mobilenetv2(224, classes=1000)),
        profile("lenet5-28", lenet5(classes=10)),
        profile(
            "transformer-encoder",
            transformer_encoder(vocabulary=10_000, sequence=128, width=256, feedforward=1024, blocks=4, classes=4),
        ),
    )


def write_profiles() -> None:
    """Write the shipped files anew."""
    for one in profiles():
        (FOLDER / f"{one.name}.json").write_bytes(format_json(one.to_document()).encode())


if __name__ == "__main__":
    write_profiles()
