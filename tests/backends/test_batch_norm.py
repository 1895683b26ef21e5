"""Batch normalisation in split training: whose statistics, and when they change."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from epsl_opt import InputError
from epsl_opt.backends.pytorch.aggregation import mean_activation
from epsl_opt.backends.pytorch.batch_norm import training_mode
from epsl_opt.backends.pytorch.options import BatchNorm
from epsl_opt.backends.pytorch.session import explained_batch_norm
from epsl_opt.backends.pytorch.split_step import LocalClientSides, split_step

CLASSES = 3


def network() -> nn.Sequential:
    """Return a network with batch normalisation on both sides of a cut after three layers."""
    torch.manual_seed(0)
    client = [nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU()]
    return nn.Sequential(*client, nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Linear(6, CLASSES)).double()


def step(m: int, batch_norm: BatchNorm, batch: int = 5) -> nn.Sequential:
    """Return the network after one client's split step, its gradients in place."""
    whole = network()
    training_mode(whole, batch_norm)
    torch.manual_seed(1)
    samples, labels = torch.randn(1, batch, 4, dtype=torch.float64), torch.randint(CLASSES, (1, batch))
    shares = torch.ones(1, dtype=torch.float64)
    split_step(LocalClientSides([whole[:3]], samples, labels), whole[3:], shares, m, mean_activation)
    return whole


def gradients(whole: nn.Sequential) -> list[torch.Tensor]:
    """Return all gradients."""
    return [parameter.grad for parameter in whole.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("m", [1, 3, 5])
def test_frozen_statistics_make_one_client_plain(m: int) -> None:
    """With frozen statistics rows do not see each other, so one client's aggregation changes nothing, and they stay."""
    found, plain = step(m, BatchNorm.FROZEN), step(0, BatchNorm.FROZEN)
    for mine, theirs in zip(gradients(found), gradients(plain), strict=True):
        torch.testing.assert_close(mine, theirs)
    for now, before in zip(found.buffers(), network().buffers(), strict=True):
        assert torch.equal(now, before)


def test_batch_statistics_are_those_of_the_pass() -> None:
    """With batch statistics an all-aggregated batch of one client is plain, and a divided one is not."""
    plain = gradients(step(0, BatchNorm.BATCH))
    for mine, theirs in zip(gradients(step(5, BatchNorm.BATCH)), plain, strict=True):
        torch.testing.assert_close(mine, theirs)
    divided = gradients(step(2, BatchNorm.BATCH))
    assert not all(torch.allclose(mine, theirs) for mine, theirs in zip(divided, plain, strict=True))


def test_a_single_row_is_explained() -> None:
    """A pass with one row ends in a line that says what to do."""
    with pytest.raises(InputError, match="batch_norm=frozen"), explained_batch_norm():
        step(1, BatchNorm.BATCH, batch=2)


def test_modes_are_kept_apart() -> None:
    """Freezing touches batch normalisation only."""
    whole = copy.deepcopy(network()).append(nn.Dropout(0.5))
    training_mode(whole, BatchNorm.FROZEN)
    assert [part.training for part in whole] == [True, False, True, True, False, True, True]
