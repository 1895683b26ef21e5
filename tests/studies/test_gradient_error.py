"""Gradients from fewer rows, compared with the exact ones."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from epsl_opt.backends.pytorch.aggregation import mean_activation, representative
from epsl_opt.backends.pytorch.feed import Batch
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.backends.pytorch.split_step import LocalClientSides, split_step
from epsl_opt.studies.activation.gradient_error import (
    CLIENT,
    CUT,
    SERVER,
    WAYS,
    compare_ways,
    cosine,
    gradients,
    sorted_by_label,
)
from epsl_opt.studies.shared.settings import PSL, Budget, Setting
from epsl_opt.studies.shared.subsampling import subsample
from epsl_opt.studies.shared.trainings import open_session

SETTING = Setting("digits, mlp", "digits", "mlp:depth=3,width=8", 0.9, "fc1")
BUDGET = Budget(10, 1, 0, (0.01,))
FEATURES, CLASSES = 4, 3


@pytest.fixture(scope="module")
def session() -> TorchSession:
    """Return a training that has not begun."""
    return open_session(SETTING, PSL, 0.01, BUDGET, seed=0)


def networks(clients: int) -> tuple[list[nn.Sequential], nn.Sequential]:
    """Return client-side models and a server-side one."""
    torch.manual_seed(0)
    sides = [nn.Sequential(nn.Linear(FEATURES, 5), nn.Tanh()).double() for _ in range(clients)]
    return sides, nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, CLASSES)).double()


def step(shares: Tensor, seed: int, draws: torch.Generator, m: int = 4) -> list[Tensor]:
    """Return the gradients, server's and clients', of a step in which m of 4 positions are subsampled."""
    clients, server = networks(len(shares))
    generator = torch.Generator().manual_seed(seed)
    samples = torch.randn(len(shares), 4, FEATURES, dtype=torch.float64, generator=generator)
    labels = torch.randint(CLASSES, (len(shares), 4), generator=generator)
    split_step(LocalClientSides(clients, samples, labels), server, shares, m, subsample(draws))
    return [p.grad for network in (server, *clients) for p in network.parameters() if p.grad is not None]


def test_subsampling_is_unbiased() -> None:
    """Averaged over many draws, server-side and client-side gradients of subsampling are PSL's."""
    shares = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    draws = torch.Generator().manual_seed(1)
    found = [step(shares, 5, draws) for _ in range(1500)]
    for position, expected in enumerate(step(shares, 5, draws, m=0)):
        values = torch.stack([gradients_[position] for gradients_ in found])
        error = values.mean(0) - expected
        assert (error.abs() <= 5 * values.std(0) / len(found) ** 0.5 + 1e-12).all()


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000))
def test_subsampling_of_one_client_is_plain(seed: int) -> None:
    """With one client there is nothing to leave out, and the gradient is the plain one."""
    alone, draws = torch.ones(1, dtype=torch.float64), torch.Generator().manual_seed(seed)
    for found, expected in zip(step(alone, seed, draws), step(alone, seed, draws, m=0), strict=True):
        torch.testing.assert_close(found, expected)


def test_server_sees_the_rows_of_representative_aggregation(session: TorchSession) -> None:
    """From the same draws, subsampling and representative aggregation agree at the server, not at the cut."""
    batch = session.batch(0)
    whole = Batch(batch.samples, batch.labels, batch.labels.shape[1])
    found = [gradients(session, whole, rule(torch.Generator().manual_seed(7))) for rule in (representative, subsample)]
    torch.testing.assert_close(found[0][SERVER], found[1][SERVER])
    assert cosine(found[0][CUT], found[1][CUT]) < 0.9


def test_gradients_are_those_of_a_step(session: TorchSession) -> None:
    """What is compared is what a training step leaves in the parameters, and the models are left alone."""
    batch, models = session.batch(3), session.models
    before = copy.deepcopy(models.server.state_dict())
    found = gradients(session, Batch(batch.samples, batch.labels, 5), mean_activation)
    clients, server = copy.deepcopy(models.clients), copy.deepcopy(models.server)
    sides = LocalClientSides(clients, batch.samples, batch.labels)
    split_step(sides, server, models.shares, 5, mean_activation)
    grads = [[p.grad.flatten() for p in network.parameters() if p.grad is not None] for network in (server, *clients)]
    torch.testing.assert_close(found[SERVER], torch.cat(grads[0]))
    torch.testing.assert_close(found[CLIENT], torch.cat([g for of_client in grads[1:] for g in of_client]))
    assert all(torch.equal(before[key], value) for key, value in models.server.state_dict().items())
    assert all(parameter.grad is None for parameter in models.server.parameters())


def test_identical_clients_have_the_exact_gradient(session: TorchSession) -> None:
    """Where all clients send the same, every way but those that leave rows out gives the exact gradient."""
    equal, batch = open_session(SETTING, PSL, 0.01, BUDGET, seed=0), session.batch(0)
    same = Batch(batch.samples[:1].expand_as(batch.samples), batch.labels[:1].expand_as(batch.labels))
    equal.batch = lambda finished_rounds: same
    found = {(row["way"], row["place"]): row for row in compare_ways(equal, 0, 1, seed=0)}
    for (way, place), row in found.items():
        if way != "subsampling" or place == SERVER:
            assert row["cosine"] == pytest.approx(1, abs=1e-4)
            assert row["relative_error"] == pytest.approx(0, abs=1e-4)


def test_every_way_is_compared_everywhere(session: TorchSession) -> None:
    """There is a row per way and place, with all measures; layers are called by their names; a batch is never lost."""
    rows = list(compare_ways(session, 0, 3, seed=0))
    places = {CUT, SERVER, CLIENT, "fc2", "fc3", "fc4"}
    assert {(row["way"], row["place"]) for row in rows} == {(way, place) for way in WAYS for place in places}
    for row in rows:
        assert -1 <= row["cosine"] <= 1.000001
        assert row["norm_ratio"] > 0
        assert (row["cosine_of_means"] is None) == (row["place"] == CUT)
    assert rows == list(compare_ways(session, 0, 3, seed=0))


def test_sorting_moves_samples_with_their_labels() -> None:
    """Samples sorted by label stay with their client and their label."""
    labels = torch.tensor([[2, 0, 1], [1, 1, 0]])
    samples = torch.stack([labels * 10.0, labels * 10.0 + 1], dim=-1)
    found = sorted_by_label(Batch(samples, labels, 2))
    assert found.labels.tolist() == [[0, 1, 2], [0, 1, 1]]
    assert torch.equal(found.samples[..., 0], found.labels * 10.0)
    assert found.aggregated == 2
