"""ResNet-18 (He et al., 2016) with its 7x7 stem; names of modules and parameters are torchvision's."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn


def resnet18(channels: int, classes: int) -> nn.Sequential:
    """Return a ResNet-18 with initial weights as in the original (He initialisation, fan-out)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False),
        bn1=nn.BatchNorm2d(64),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    given = 64
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        layers[f"layer{stage}"] = nn.Sequential(BasicBlock(given, width, min(stage, 2)), BasicBlock(width, width, 1))
        given = width
    layers |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(512, classes)}
    network = nn.Sequential(layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around which the input is led, through a 1x1 convolution where the shape changes."""

    def __init__(self, given: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(given, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or given != width:
            shortcut = nn.Conv2d(given, width, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of both ways."""
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.downsample(x))
