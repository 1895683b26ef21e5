"""EPSL's step against unsplit automatic differentiation and against what must not matter."""

from __future__ import annotations

import copy

import pytest
import torch
from draws import draws
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from epsl_opt.backends.pytorch.aggregation import (
    Backpropagation,
    layer_wise,
    mean_activation,
    per_client,
    representative,
)
from epsl_opt.backends.pytorch.split_step import LocalClientSides, StepResult, split_step

FEATURES, CLASSES = 6, 4
RULES = {
    "mean-activation": mean_activation,
    "layer-wise": layer_wise,
    "per-client": per_client,
    "representative": representative(torch.Generator().manual_seed(3)),
}
SIZES = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(0, 5), st.integers(0, 2**20))
"""Clients, batch size, aggregated positions, seed."""


def client_side() -> nn.Sequential:
    """Return a small nonlinear client-side model."""
    return nn.Sequential(nn.Linear(FEATURES, 8), nn.Tanh(), nn.Linear(8, 5)).double()


def server_side(linear: bool = False) -> nn.Sequential:
    """Return a small server-side model, nonlinear unless asked."""
    between: nn.Module = nn.Identity() if linear else nn.Tanh()
    return nn.Sequential(nn.Linear(5, 7), between, nn.Linear(7, CLASSES)).double()


class Setting:
    """Clients with models of their own, a server, one batch each, unequal shares."""

    def __init__(self, clients: int, batch: int, seed: int, linear: bool = False) -> None:
        torch.manual_seed(seed)
        self.clients = [client_side() for _ in range(clients)]
        self.server = server_side(linear)
        self.samples = torch.randn(clients, batch, FEATURES, dtype=torch.float64)
        self.labels = torch.randint(CLASSES, (clients, batch))
        weights = torch.rand(clients, dtype=torch.float64) + 0.1
        self.shares = weights / weights.sum()

    def step(self, m: int, rule: Backpropagation = mean_activation) -> tuple[StepResult, list[Tensor], list[Tensor]]:
        """Return the step's result, the clients' gradients and the server's, on fresh copies of the models."""
        clients, server = copy.deepcopy(self.clients), copy.deepcopy(self.server)
        result = split_step(LocalClientSides(clients, self.samples, self.labels), server, self.shares, m, rule)
        return result, gradients(*clients), gradients(server)


def gradients(*networks: nn.Module) -> list[Tensor]:
    """Return the gradients of all parameters."""
    found = [parameter.grad for network in networks for parameter in network.parameters()]
    assert all(gradient is not None for gradient in found)
    return [gradient for gradient in found if gradient is not None]


def unsplit(given: Setting) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return the loss and gradients that automatic differentiation gives for the undivided networks."""
    clients, server = copy.deepcopy(given.clients), copy.deepcopy(given.server)
    parts = zip(clients, given.samples, given.labels, strict=True)
    losses = torch.stack([functional.cross_entropy(server(client(x)), y) for client, x, y in parts])
    loss = given.shares @ losses
    loss.backward()
    own = [
        parameter.grad / share
        for client, share in zip(clients, given.shares, strict=True)
        for parameter in client.parameters()
        if parameter.grad is not None
    ]
    return loss.detach(), own, gradients(server)


def assert_close(found: list[Tensor], expected: list[Tensor], tolerance: float = 1e-10) -> None:
    """Compare two lists of tensors."""
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)


Step = tuple[StepResult, list[Tensor], list[Tensor]]


def assert_unsplit(found: Step, given: Setting) -> None:
    """Compare a step's loss and gradients with those of the undivided networks."""
    loss, own, server = unsplit(given)
    assert_close([found[0].loss, *found[1], *found[2]], [loss, *own, *server])


@settings(deadline=None, max_examples=40)
@given(sizes=SIZES)
def test_split_is_unsplit(sizes: tuple[int, int, int, int]) -> None:
    """Without aggregation, every gradient and the loss are those of `loss.backward()` on the undivided network."""
    clients, batch, _, seed = sizes
    given_ = Setting(clients, batch, seed)
    assert_unsplit(given_.step(0), given_)


@settings(deadline=None, max_examples=40)
@given(sizes=SIZES, rule=st.sampled_from(sorted(RULES)))
def test_one_client_is_plain_sgd(sizes: tuple[int, int, int, int], rule: str) -> None:
    """With one client, every aggregation ratio and every rule gives the plain gradient."""
    _, batch, m, seed = sizes
    given_ = Setting(1, batch, seed)
    assert_unsplit(given_.step(min(m, batch), RULES[rule]), given_)


@settings(deadline=None, max_examples=40)
@given(sizes=SIZES, rule=st.sampled_from(sorted(RULES)))
def test_identical_clients_lose_nothing(sizes: tuple[int, int, int, int], rule: str) -> None:
    """Clients with equal models and equal batches get the same gradients at every aggregation ratio as at none."""
    clients, batch, m, seed = sizes
    given_ = Setting(clients, batch, seed)
    given_.clients = [copy.deepcopy(given_.clients[0]) for _ in range(clients)]
    given_.samples = given_.samples[:1].expand_as(given_.samples)
    given_.labels = given_.labels[:1].expand_as(given_.labels)
    plain, aggregated = given_.step(0), given_.step(min(m, batch), RULES[rule])
    assert_close([aggregated[0].loss], [plain[0].loss])
    assert_close(aggregated[1], plain[1])
    assert_close(aggregated[2], plain[2])


@settings(deadline=None, max_examples=40)
@given(sizes=SIZES)
def test_linear_server_needs_no_choice(sizes: tuple[int, int, int, int]) -> None:
    """Through a linear server-side model, all points of linearisation give the same gradients."""
    clients, batch, m, seed = sizes
    given_ = Setting(clients, batch, seed, linear=True)
    reference = given_.step(min(m, batch), per_client)
    for rule in (mean_activation, layer_wise):
        found = given_.step(min(m, batch), rule)
        assert_close(found[1], reference[1])
        assert_close(found[2], reference[2])


@settings(deadline=None, max_examples=30)
@given(sizes=SIZES, rule=st.sampled_from(sorted(RULES)))
def test_loss_is_of_all_samples(sizes: tuple[int, int, int, int], rule: str) -> None:
    """The loss reported does not depend on what is aggregated, nor on how."""
    clients, batch, m, seed = sizes
    given_ = Setting(clients, batch, seed)
    assert_close([given_.step(min(m, batch), RULES[rule])[0].loss], [unsplit(given_)[0]])


def test_mean_activation_by_hand() -> None:
    """The server's gradient is that of the mean output gradient at the mean smashed data, and clients share it."""
    given_ = Setting(3, 4, seed=5)
    _, own, server = given_.step(4)
    smashed = torch.stack([client(x) for client, x in zip(given_.clients, given_.samples, strict=True)])
    logits = given_.server(smashed).detach()
    g = logits.softmax(-1) - functional.one_hot(given_.labels, CLASSES)
    mean_g, point = torch.einsum("i,ijk->jk", given_.shares, g), torch.einsum("i,ijk->jk", given_.shares, smashed)
    point = point.detach().requires_grad_()
    torch.autograd.backward(given_.server(point), mean_g / 4)
    assert_close(server, gradients(given_.server))
    assert point.grad is not None
    torch.autograd.backward(smashed, point.grad.expand_as(smashed))
    assert_close(own, gradients(*given_.clients))


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(1))
def test_representative_is_unbiased(seed: int) -> None:
    """Averaged over many draws, the representatives' gradient of the server-side model is the plain one."""
    given_ = Setting(3, 2, seed=8)
    rule = representative(torch.Generator().manual_seed(seed))
    drawn = [given_.step(2, rule)[2] for _ in range(3000)]
    plain = unsplit(given_)[2]
    for position, expected in enumerate(plain):
        samples = torch.stack([gradient[position] for gradient in drawn])
        error = samples.mean(0) - expected
        assert (error.abs() <= 5 * samples.std(0) / len(drawn) ** 0.5 + 1e-12).all()


@pytest.mark.parametrize(("rule", "rows"), [(mean_activation, 2 + 3 * 4), (RULES["representative"], 2 + 3 * 4)])
def test_server_backpropagates_few_rows(rule: Backpropagation, rows: int) -> None:
    """The server's backward pass sees exactly m + C (b - m) rows."""
    given_, seen = Setting(3, 6, seed=1), []
    last = given_.server[-1]
    assert isinstance(last, nn.Linear)

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: seen.append(len(gradient)))

    last.register_forward_hook(count)
    sides = LocalClientSides(given_.clients, given_.samples, given_.labels)
    split_step(sides, given_.server, given_.shares, 2, rule)
    assert sum(seen) == rows


def test_bits_are_those_of_the_tensors() -> None:
    """Traffic counts 64-bit numbers: smashed data up, own gradients and one broadcast down; per-client, all own."""
    given_ = Setting(3, 6, seed=1)
    number = 64 * 5
    result = given_.step(2)[0]
    assert (result.uplink_bits, result.downlink_bits) == (3 * 6 * number, (2 + 3 * 4) * number)
    assert given_.step(2, per_client)[0].downlink_bits == 3 * 6 * number


def test_not_finite_is_found_where_it_begins() -> None:
    """A weight that is not a number shows in the check of the first stage that uses it."""
    given_ = Setting(2, 3, seed=2)
    with torch.no_grad():
        next(given_.server.parameters())[0, 0] = float("nan")
    checks = given_.step(1)[0].checks
    assert checks[:1].isfinite().all()
    assert not checks[1:].isfinite().any()


def test_running_statistics_count_every_sample_once() -> None:
    """The extra forward pass of the mean activations leaves batch normalisation's running statistics alone."""
    torch.manual_seed(0)
    server = nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.Linear(7, CLASSES))
    twin = copy.deepcopy(server)
    clients = [nn.Linear(FEATURES, 5) for _ in range(3)]
    samples, labels = torch.randn(3, 4, FEATURES), torch.randint(CLASSES, (3, 4))
    for rule in (mean_activation, layer_wise):
        split_step(LocalClientSides(clients, samples, labels), server, torch.full((3,), 1 / 3), 4, rule)
        with torch.no_grad():
            twin(torch.cat([client(x) for client, x in zip(clients, samples, strict=True)]))
    for found, expected in zip(server.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(found, expected)
