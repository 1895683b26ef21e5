"""Networks of many kinds, and random ones, to be cut; shared by tests."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

IMAGE = (3, 8, 8)
CLASSES = 5


class Residual(nn.Module):
    """Two convolutions and a shortcut; the activation overwrites its input."""

    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.conv1, self.bn = nn.Conv2d(given, width, 3, padding=1), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.shortcut = nn.Conv2d(given, width, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Add both ways."""
        return self.relu(self.conv2(self.relu(self.bn(self.conv1(x)))) + self.shortcut(x))


class Branching(nn.Module):
    """A stem, two residual blocks, a pool and a head, with reused activations and functions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.relu = nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True)
        self.block1, self.block2 = Residual(4, 6), Residual(6, 6)
        self.fc1, self.fc2 = nn.Linear(6 * 9, 12), nn.Linear(12, CLASSES)

    def forward(self, x: Tensor, scale: float | None = None) -> Tensor:
        """Run; an argument with a default stays at it."""
        x = self.relu(self.stem(x))
        x = functional.avg_pool2d(self.block2(self.block1(x)), 2)
        x = self.relu(self.fc1(x.view(x.size(0), -1)))
        return self.fc2(x if scale is None else x * scale)


class Tied(nn.Module):
    """The first layer's weights come back in the third; only after that can it be cut."""

    def __init__(self) -> None:
        super().__init__()
        self.flatten, self.a, self.b = nn.Flatten(), nn.Linear(192, 10), nn.Linear(10, 192)
        self.c, self.d = nn.Linear(192, 7), nn.Linear(7, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        x = torch.tanh(self.a(self.flatten(x)))
        x = functional.linear(torch.tanh(self.b(x)), self.a.weight)
        return self.d(torch.tanh(self.c(self.b(x))))


class Transformer(nn.Module):
    """Patches, a class token, positions, attention and feed-forward with dropout that reads the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token, self.positions = nn.Parameter(torch.randn(1, 1, 8)), nn.Parameter(torch.randn(1, 5, 8))
        self.norm1, self.attention = nn.LayerNorm(8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm2, self.up, self.down = nn.LayerNorm(8), nn.Linear(8, 16), nn.Linear(16, 8)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Run; the batch size is read first and used later."""
        samples = x.shape[0]
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(samples, -1, -1), x], dim=1) + self.positions
        normal = self.norm1(x)
        x = x + functional.dropout(self.attention(normal, normal, normal, need_weights=False)[0], 0.5, self.training)
        x = x + self.down(functional.dropout(functional.gelu(self.up(self.norm2(x))), training=self.training))
        return self.head(x[:, 0].reshape(samples, 8))


class Erratic(nn.Module):
    """Does one thing or another, depending on the data."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Decide."""
        return self.conv(x) if x.sum() > 0 else -self.conv(x)


class HoldsErratic(nn.Module):
    """A network that can be followed, but for one child."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.erratic, self.head = nn.Conv2d(3, 4, 3), Erratic(), nn.Linear(144, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        return self.head(torch.relu(self.erratic(self.conv(x))).flatten(1))


class Overwriting(nn.Module):
    """A block that overwrites what it is given, with a shortcut around it."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(144, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        x = self.a(x)
        return self.head((x + self.b(functional.relu_(x))).flatten(1))


BRANCHING: dict[str, Callable[[], nn.Module]] = {
    kind.__name__: kind for kind in (Branching, Tied, Transformer, HoldsErratic, Overwriting)
}


@st.composite
def sequentials(draw: st.DrawFn) -> nn.Sequential:
    """Draw a convolutional network, partly nested, whose activation is one module that comes again and again."""
    activation = draw(st.sampled_from((nn.ReLU(inplace=True), nn.Tanh(), nn.Dropout(0.3))))
    channels, side, layers = 3, 8, []
    for _ in range(draw(st.integers(1, 4))):
        width = draw(st.integers(1, 4))
        plain = [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), activation]
        stage: list[nn.Module] = draw(st.sampled_from((plain, [Residual(channels, width)])))
        channels = width
        if side > 1 and draw(st.booleans()):
            stage.append(nn.MaxPool2d(2))
            side //= 2
        layers += [nn.Sequential(*stage)] if draw(st.booleans()) else stage
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side**2, CLASSES))
