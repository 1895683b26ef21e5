"""What a round of training must not touch: frozen weights, constants, test samples, statistics of extra passes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.aggregation import layer_wise, mean_activation, per_client, unchanged_statistics
from epsl_opt.backends.pytorch.averaging import average, exchanged
from epsl_opt.backends.pytorch.evaluation import evaluate
from epsl_opt.backends.pytorch.split_step import LocalClientSides, split_step

SHARES = torch.tensor([0.1, 0.3, 0.6])


class Constant(nn.Module):
    """A linear layer with a mask that is no weight, and a statistic that is."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.register_buffer("mask", torch.full((4,), 0.7))
        self.register_buffer("mean", torch.randn(4))

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        if self.training:
            self.mean.mul_(0.9).add_(0.1 * x.detach().mean(0))
        return self.layer(x * self.mask)


def test_averaging_moves_what_is_trained_alone() -> None:
    """Frozen weights and constants stay what they are to the last bit and are not sent; the rest is averaged."""
    replicas = [Constant() for _ in SHARES]
    for replica in replicas:
        replica.layer.weight.requires_grad_(False).fill_(0.1)
    biases = torch.stack([replica.layer.bias.detach() for replica in replicas])
    for _ in range(20):
        average(replicas, SHARES)
    assert all(torch.equal(replica.layer.weight, torch.full((4, 4), 0.1)) for replica in replicas)
    assert all(torch.equal(replica.mask, torch.full((4,), 0.7)) for replica in replicas)
    torch.testing.assert_close(replicas[0].layer.bias, SHARES @ biases)
    assert all(torch.equal(replica.mean, replicas[0].mean) for replica in replicas)
    assert not any(tensor is replicas[0].layer.weight for tensor in exchanged(replicas[0]))


@pytest.mark.parametrize("kind", [Constant, lambda: nn.InstanceNorm1d(4, track_running_stats=True)])
def test_extra_passes_count_into_no_buffer(kind: type[nn.Module]) -> None:
    """What any module keeps, PyTorch's or one's own, is as before, and gradients of such a pass are right."""
    module = kind().train()
    before = [buffer.clone() for buffer in module.buffers()]
    x = torch.randn(3, 4) if isinstance(module, Constant) else torch.randn(3, 4, 5)
    given = x.clone().requires_grad_()
    with unchanged_statistics(module):
        output = module(given)
    output.square().sum().backward()
    assert all(torch.equal(now, then) for now, then in zip(module.buffers(), before, strict=True))
    again = x.clone().requires_grad_()
    module(again).square().sum().backward()
    assert torch.equal(given.grad, again.grad)
    assert not all(torch.equal(now, then) for now, then in zip(module.buffers(), before, strict=True))


def test_evaluation_leaves_the_test_samples() -> None:
    """A network that writes over its input is tested on the same samples every time."""
    samples, labels = torch.randn(5, 4), torch.arange(5) % 3
    network = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 3)).eval()
    before = samples.clone()
    for client, server in ((network, nn.Sequential()), (nn.Sequential(), network)):
        evaluate([client], server, samples, labels, 3)
        assert torch.equal(samples, before)


class Stopped(nn.Module):
    """Lets no gradient through."""

    def forward(self, x: Tensor) -> Tensor:
        """Run."""
        with torch.no_grad():
            return x * 2


@pytest.mark.parametrize("rule", [mean_activation, layer_wise, per_client])
@pytest.mark.parametrize("aggregated", [0, 2, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_stopped_gradients_and_any_precision_train(rule, aggregated, dtype) -> None:  # type: ignore[no-untyped-def]
    """Clients before a stopped gradient get none, whatever the aggregation and precision, and the head learns."""
    clients = [nn.Sequential(nn.Linear(4, 4).requires_grad_(False)).to(dtype) for _ in SHARES]
    server = nn.Sequential(Stopped(), nn.Linear(4, 3)).to(dtype)
    samples, labels = torch.randn(3, 4, 4).to(dtype), torch.randint(3, (3, 4))
    split_step(LocalClientSides(clients, samples, labels), server, SHARES, aggregated, rule)
    assert all(parameter.grad is None for client in clients for parameter in client.parameters())
    assert server[1].weight.grad is not None
    assert server[1].weight.grad.abs().sum() > 0
