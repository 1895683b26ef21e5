"""Client-side models averaged every so many rounds: between PSL and SplitFed, and what it sends."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_sessions import CLIENTS, chain, profile, session

from epsl_opt.backends.pytorch.averaging import average
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import RoundOutcome

ROUNDS = 7
INTERVALS = st.integers(1, ROUNDS + 1)
NOISY = {"dropout": 0.3, "optimizer": "adam", "lr": 0.01}


def run(training: TorchSession, rounds: int = ROUNDS) -> list[RoundOutcome]:
    """Train some rounds."""
    return [training.train_round() for _ in range(rounds)]


def assert_same(one: TorchSession, other: TorchSession) -> None:
    """Train both, and compare losses, bits, scores, models and optimisers to the bit."""
    for _ in range(ROUNDS):
        assert one.train_round() == other.train_round()
        assert one.evaluate() == other.evaluate()
    assert one.save("") == other.save("")


def test_psl_averaged_every_round_is_splitfed() -> None:
    """PSL with I = 1 leaves the same bytes as SFL: losses, bits, scores, models, optimisers."""
    assert_same(session(Framework.PSL, average_every=1, **NOISY), session(Framework.SFL, **NOISY))


@settings(max_examples=5)
@given(every=INTERVALS)
def test_epsl_that_aggregates_nothing_is_psl(every: int) -> None:
    """EPSL with phi = 0 and PSL leave the same bytes when both are averaged after every I-th round."""
    assert_same(session(Framework.EPSL, 0.0, average_every=every), session(Framework.PSL, average_every=every))


@pytest.mark.parametrize("framework", [Framework.EPSL, Framework.PSL])
def test_an_interval_beyond_the_training_is_none(framework: Framework) -> None:
    """With I larger than the number of rounds, training is the one that never averages, to the bit."""
    assert_same(session(framework, average_every=ROUNDS + 1, **NOISY), session(framework, **NOISY))


@settings(max_examples=8)
@given(every=INTERVALS, phi=st.sampled_from([0.0, 0.5, 1.0]))
def test_models_are_averaged_after_every_ith_round(every: int, phi: float) -> None:
    """Averaging a training that never does so by hand, after every I-th round, gives the same bytes."""
    found, by_hand = session(phi=phi, average_every=every, **NOISY), session(phi=phi, **NOISY)
    for number in range(1, ROUNDS + 1):
        assert found.train_round().train_loss == by_hand.train_round().train_loss
        if number % every == 0:
            by_hand.models.average_clients()
    assert found.save("") == by_hand.save("")


def test_averaging_identical_models_changes_nothing() -> None:
    """The mean of equal models is each of them: with one client every I trains as never, to the bit; so do copies."""
    once, never = session(clients=1, average_every=2), session(clients=1)
    losses = [[outcome.train_loss for outcome in run(training)] for training in (once, never)]
    assert losses[0] == losses[1]
    assert once.save("") == never.save("")
    network = chain().client_side(2)
    copies = [copy.deepcopy(network) for _ in range(4)]
    average(copies, torch.full((4,), 0.25))
    for replica in copies:
        assert all(map(torch.equal, replica.state_dict().values(), network.state_dict().values()))


@settings(max_examples=8)
@given(every=INTERVALS, phi=st.sampled_from([0.0, 0.5, 1.0]))
def test_models_are_sent_in_the_rounds_that_average(every: int, phi: float) -> None:
    """Each client uploads its model and one broadcast answers, in every I-th round and no other."""
    found, never = session(phi=phi, average_every=every), session(phi=phi)
    size = profile().cut_layers[0].client_parameter_bits
    pairs = zip(run(found), run(never), strict=True)
    for number, (outcome, plain) in enumerate(pairs, start=1):
        models = size if number % every == 0 else 0
        assert outcome.uplink_bits == plain.uplink_bits + CLIENTS * models
        assert outcome.downlink_bits == plain.downlink_bits + models


@settings(max_examples=8)
@given(every=INTERVALS, stopped_after=st.integers(0, ROUNDS))
def test_resumed_is_uninterrupted(every: int, stopped_after: int) -> None:
    """Saved and restored anywhere, before or after an averaging round, a training goes on to the bit."""
    whole, first, second = (session(average_every=every, **NOISY) for _ in range(3))
    expected = run(whole)
    run(first, stopped_after)
    second.restore(first.save(""))
    assert run(second, ROUNDS - stopped_after) == expected[stopped_after:]
    assert (second.save(""), second.evaluate()) == (whole.save(""), whole.evaluate())


@pytest.mark.parametrize("framework", [each for each in Framework if each not in (Framework.EPSL, Framework.PSL)])
def test_other_frameworks_refuse(framework: Framework) -> None:
    """Frameworks that average by themselves, or have nothing to average, refuse an interval in one line."""
    with pytest.raises(InputError, match=f"--average-every: is for the frameworks epsl and psl, not {framework};"):
        session(framework, average_every=2)


def test_an_interval_below_one_is_refused() -> None:
    """There is no averaging every 0 rounds."""
    with pytest.raises(InputError, match="--average-every: must be at least 1, got 0"):
        session(average_every=0)
