"""Operators that PyTorch's counter does not see, against counting by hand; what no sample pays for, kept apart."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations
from torch.utils.flop_counter import FlopCounterMode

from epsl_opt.backends.pytorch.chain import chain_of
from epsl_opt.backends.pytorch.counting import FlopCounter, countable_kernels
from epsl_opt.backends.pytorch.profiling import profile_chain, segment_costs

PRODUCTS: dict[str, tuple[Callable[..., Tensor], list[tuple[int, ...]], int, int]] = {
    "bilinear": (functional.bilinear, [(4, 5), (4, 6), (7, 5, 6)], 4 * 7 * 5 * 6, 3),
    "mv": (torch.mv, [(4, 5), (5,)], 20, 2),
    "addmv": (torch.addmv, [(4,), (4, 5), (5,)], 20, 2),
    "matmul with a vector": (torch.matmul, [(3, 4, 5), (5,)], 60, 2),
    "vector with a matrix": (torch.matmul, [(5,), (5, 4)], 20, 2),
    "dot": (torch.dot, [(5,), (5,)], 5, 2),
    "vdot": (torch.vdot, [(5,), (5,)], 5, 2),
    "vecdot": (torch.linalg.vecdot, [(4, 5), (4, 5)], 20, 2),
    "outer": (torch.outer, [(4,), (5,)], 20, 2),
    "every pair": (lambda x, y: (x[:, :, None] * y).sum(1), [(4, 5), (5, 6)], 4 * 5 * 6, 2),
    "cdist": (torch.cdist, [(2, 4, 5), (2, 6, 5)], 2 * 4 * 6 * 5, 2),
    "cdist of many": (torch.cdist, [(2, 30, 5), (2, 30, 5)], 2 * 30 * 30 * 5, 2),
    "baddbmm": (torch.baddbmm, [(2, 4, 6), (2, 4, 5), (2, 5, 6)], 2 * 4 * 5 * 6, 2),
    "addbmm": (torch.addbmm, [(4, 6), (2, 4, 5), (2, 5, 6)], 2 * 4 * 5 * 6, 2),
    "einsum": (lambda x, y: torch.einsum("bij,bjk->bik", x, y), [(2, 4, 5), (2, 5, 6)], 2 * 4 * 5 * 6, 2),
    "elementwise": (torch.mul, [(4, 5), (5,)], 0, 2),
}


@pytest.mark.parametrize("kind", PRODUCTS)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_products_cost_their_multiply_adds(kind: str, device: str) -> None:
    """Each product costs two FLOPs a multiply-add, and as much again for the gradient of each factor."""
    product, shapes, multiply_adds, gradients = PRODUCTS[kind]
    factors = [torch.randn(shape, device=device, requires_grad=True) for shape in shapes]
    with FlopCounter() as forward:
        output = product(*factors)
    with FlopCounter() as backward:
        output.backward(torch.ones_like(output))
    assert (forward.flops, backward.flops) == (2 * multiply_adds, 2 * gradients * multiply_adds)
    torch.testing.assert_close(output, product(*factors))


@pytest.mark.parametrize(
    "layer",
    [
        nn.LSTM(6, 4, batch_first=True, num_layers=2, bidirectional=True),
        nn.GRU(6, 4, batch_first=True),
        nn.RNN(6, 4, batch_first=True),
        nn.MultiheadAttention(6, 2, batch_first=True),
        nn.TransformerEncoderLayer(6, 2, 8, batch_first=True),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_frozen_or_not_and_whatever_the_mode_layers_count_alike(layer: nn.Module) -> None:
    """A forward pass costs the same trained or frozen, in training or evaluation: no fused kernel hides it."""
    x, found = torch.randn(3, 5, 6), set()
    arguments = (x, x, x) if isinstance(layer, nn.MultiheadAttention) else (x,)
    for trained in (True, False):
        for training in (True, False):
            layer.requires_grad_(trained).train(training)
            with countable_kernels(), torch.set_grad_enabled(trained), FlopCounter() as counter:
                layer(*arguments)
            found.add(counter.flops)
    assert len(found) == 1
    assert min(found) > 0


def test_plain_layers_count_as_pytorch_counts_them() -> None:
    """Convolutions and linear layers cost what PyTorch's own counter says, where that is right."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 7), nn.Linear(7, 5))
    x = torch.randn(2, 3, 8, 8)
    with FlopCounterMode(display=False) as reference:
        network(x).sum().backward()
    counted = profile_chain(chain_of("plain", network, x, proven=True), (3, 8, 8))
    assert 2 * (counted.total_forward_flops + counted.total_backward_flops) == reference.get_total_flops()


class Table(nn.Module):
    """Adds what a small network makes of a fixed table, whatever the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("grid", torch.randn(50, 2))
        self.small = nn.Linear(2, 30)

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        return x + self.small(self.grid).mean()


@pytest.mark.parametrize(
    ("make", "constant"),
    [
        (Table, 2 * 2 * 50 * 2 * 30),
        (lambda: parametrizations.orthogonal(nn.Linear(8, 8)), None),
        (lambda: nn.Linear(8, 8), 0),
    ],
)
def test_what_a_pass_costs_is_no_cost_of_a_sample(
    make: Callable[[], nn.Module], constant: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """FLOPs that do not grow with the batch are told of apart; those of a sample are the same as without them."""
    middle = make()
    network = nn.Sequential(nn.Linear(8, 8), middle, nn.Linear(8, 3))
    chain = chain_of("constant", network, torch.zeros(2, 8), proven=True)
    with caplog.at_level(logging.WARNING):
        counted = profile_chain(chain, (8,))
    linear = 0 if isinstance(middle, Table) else 2 * 64
    assert counted.total_forward_flops == 2 * 64 + linear + 2 * 24
    found = sum(cost.pass_flops for cost in segment_costs(chain, (8,)))
    assert found > 0 if constant is None else found == constant
    assert any("more in each pass" in line for line in caplog.messages) is (found > 0)


@pytest.mark.parametrize(
    ("run", "named"),
    [
        (lambda x: torch.fft.rfft(x).abs(), "fft_r2c"),
        (torch.linalg.matrix_exp, "linalg_matrix_exp"),
        (lambda x: functional.embedding_bag(torch.zeros(3, 2, dtype=torch.long), x), "embedding_bag_forward_only"),
        (lambda x: functional.layer_norm(functional.gelu(x).cumsum(0), (4,)), None),
        (lambda x: functional.max_pool2d(x[None], 2).softmax(-1), None),
    ],
)
def test_operators_without_a_formula_are_named(run: Callable[[Tensor], Tensor], named: str | None) -> None:
    """What computes and can't be counted is named; elementwise operations, normalisation and pools are not."""
    with FlopCounter() as counter:
        run(torch.randn(4, 4))
    assert counter.uncounted == ([] if named is None else [named])


def test_profiles_warn_of_what_they_do_not_count(caplog: pytest.LogCaptureFixture) -> None:
    """The warning names network, operator and segment."""

    class Spectrum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.fft.fft(x).real

    network = nn.Sequential(nn.Linear(8, 8), Spectrum(), nn.Linear(8, 3))
    with caplog.at_level(logging.WARNING):
        profile_chain(chain_of("fourier", network, torch.zeros(2, 8), proven=True), (8,))
    assert "network fourier: FLOPs of fft_r2c" in caplog.text
