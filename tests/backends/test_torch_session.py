"""A training with PyTorch: its frameworks against one another, resuming, traffic, divergence."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.metrics import f1_score
from torch import Tensor
from torch_sessions import BITS, CLASSES, CLIENTS, HIDDEN, dataset, profile, session

from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import DivergenceError, RoundOutcome

ROUNDS = 6
ALL = list(Framework)


def run(training: TorchSession, rounds: int = ROUNDS) -> list[RoundOutcome]:
    """Train some rounds."""
    return [training.train_round() for _ in range(rounds)]


def tensors(training: TorchSession) -> dict[str, Tensor]:
    """Return the weights of a training."""
    return safetensors.torch.load(training.save(""))


def test_no_aggregation_is_psl_to_the_bit() -> None:
    """EPSL with phi = 0 leaves the same bytes as PSL."""
    epsl, psl = session(Framework.EPSL, 0.0), session(Framework.PSL, 0.0)
    assert run(epsl) == run(psl)
    assert epsl.save("x") == psl.save("x")


@pytest.mark.parametrize("phi", [0.3, 1.0])
@pytest.mark.parametrize("framework", ALL)
def test_one_client_is_plain_training(framework: Framework, phi: float) -> None:
    """With a single client every framework, at every aggregation ratio, trains as the server alone would."""
    reference = session(Framework.CENTRALISED, clients=1)
    found = session(framework, phi, clients=1)
    losses = [outcome.train_loss for outcome in run(reference)]
    np.testing.assert_allclose([outcome.train_loss for outcome in run(found)], losses, rtol=1e-5)
    expected = torch.cat([value.flatten() for key, value in sorted(tensors(reference).items())])
    mine = torch.cat([value.flatten() for key, value in sorted(tensors(found).items())])
    torch.testing.assert_close(mine.sort().values, expected.sort().values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("framework", [Framework.SFL, Framework.SFL_V2, Framework.FL])
def test_averaging_frameworks_average_by_share(framework: Framework) -> None:
    """After a round, all clients hold the mean of what PSL's clients would hold, weighted by their data."""
    twin = Framework.PSL if framework is Framework.SFL else framework
    averaged, single = session(framework), session(twin)
    run(averaged, 1)
    found = tensors(averaged)
    for client in range(1, CLIENTS):
        for key in [key for key in found if key.startswith("network0.")]:
            assert torch.equal(found[key], found[key.replace("network0", f"network{client}")])
    if framework is Framework.SFL:
        run(single, 1)
        own, shares = tensors(single), np.array([15, 30, 45]) / 90
        for key in [key for key in own if key.startswith("network0.")]:
            replicas = [own[key.replace("network0", f"network{i}")] for i in range(CLIENTS)]
            mean = sum(share * replica for share, replica in zip(shares, replicas, strict=True))
            torch.testing.assert_close(found[key], mean, rtol=1e-6, atol=1e-7, check_dtype=False)


@pytest.mark.parametrize("framework", ALL)
@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.9, "lr_schedule": "cosine", "lr_rounds": 10},
        {"optimizer": "adam", "lr": 0.01, "aggregation": "representative"},
    ],
)
def test_resumed_is_uninterrupted(framework: Framework, options: dict[str, object]) -> None:
    """A training saved and restored goes on as one that never stopped, to the bit, dropout and draws included."""
    whole, first = (session(framework, dropout=0.3, **options) for _ in range(2))
    expected = run(whole)
    run(first, 2)
    second = session(framework, dropout=0.3, **options)
    assert second.restore(first.save("what the driver keeps")) == "what the driver keeps"
    assert run(second, ROUNDS - 2) == expected[2:]
    assert second.save("") == whole.save("")


@pytest.mark.parametrize("framework", ALL)
def test_equal_seeds_are_equal_and_leave_the_global_generator(framework: Framework) -> None:
    """The seed decides a training; the caller's own random numbers are neither used nor changed."""
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = run(session(framework, dropout=0.3))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert run(session(framework, dropout=0.3)) == first
    assert run(session(framework, dropout=0.3, seed=1)) != first


def expected_traffic(framework: Framework, batch: int, m: int) -> tuple[float, float]:
    """Return bits up and down of one round, from the sizes in the model profile."""
    model = profile()
    cut = model.cut_layers[0]
    data, up = CLIENTS * batch * cut.activation_bits, CLIENTS * batch * cut.gradient_bits
    match framework:
        case Framework.EPSL:
            return data, (m + CLIENTS * (batch - m)) * cut.gradient_bits
        case Framework.PSL:
            return data, up
        case Framework.SFL | Framework.SFL_V2:
            return data + CLIENTS * cut.client_parameter_bits, up + cut.client_parameter_bits
        case Framework.SL:
            return data + CLIENTS * cut.client_parameter_bits, up + CLIENTS * cut.client_parameter_bits
        case Framework.FL:
            return CLIENTS * model.total_parameter_bits, model.total_parameter_bits
        case Framework.CENTRALISED:
            return 0.0, 0.0


@pytest.mark.parametrize("framework", ALL)
def test_bits_sent_are_those_of_the_profile(framework: Framework) -> None:
    """The tensors that are really sent have the sizes that the latency model counts."""
    outcome = session(framework, 0.5, batch_size=5).train_round()
    assert (outcome.uplink_bits, outcome.downlink_bits) == expected_traffic(framework, 5, 3)
    assert profile().cut_layers[0].activation_bits == BITS * HIDDEN


@pytest.mark.parametrize("framework", ALL)
def test_every_framework_learns(framework: Framework) -> None:
    """Each framework ends well above the rate of guessing the most frequent class."""
    training = session(framework, 0.5, batch_size=8, lr=0.3, momentum=0.0)
    run(training, 60)
    assert training.evaluate().accuracy > training.describe()["majority_rate"] + 0.15


def test_scores_are_the_textbook_ones() -> None:
    """Accuracy and macro-F1 agree with scikit-learn, averaged over the clients."""
    training = session()
    run(training)
    models, data = training.models, dataset()
    x = torch.from_numpy(data.test_x)
    with torch.no_grad():
        answers = [models.server(client(x)).argmax(1).numpy() for client in models.clients]
    scores = training.evaluate()
    assert scores.accuracy == pytest.approx(np.mean([np.mean(a == data.test_y) for a in answers]))
    present = sorted(set(data.test_y.tolist()))
    expected = [f1_score(data.test_y, a, labels=present, average="macro", zero_division=0) for a in answers]
    assert scores.macro_f1 == pytest.approx(np.mean(expected))
    assert len(present) == CLASSES


def test_evaluation_changes_nothing() -> None:
    """A training that is scored in between goes on as one that is not."""
    looked, plain = session(dropout=0.3), session(dropout=0.3)
    for _ in range(3):
        looked.train_round()
        looked.evaluate()
    run(plain, 3)
    assert looked.save("") == plain.save("")


def test_divergence_names_the_stage() -> None:
    """A learning rate far too large ends in an error that names the stage, not in a round with NaN."""
    training = session(lr=1e30)
    with pytest.raises(DivergenceError) as caught:
        run(training, 20)
    assert caught.value.stage in {"client forward", "server forward", "server backward"}


@pytest.mark.parametrize("pairing", ["position", "label"])
def test_pairing_sorts_the_aggregated_positions(pairing: str) -> None:
    """Pairing by label sorts the samples to aggregate, and changes neither which they are nor the rest."""
    plain = session(phi=0.5, batch_size=9).batch(0)
    batch = session(phi=0.5, batch_size=9, pairing=pairing).batch(0)
    assert batch.aggregated == 5
    expected = plain.labels.clone()
    if pairing == "label":
        expected[:, :5] = expected[:, :5].sort(dim=1).values
    assert torch.equal(batch.labels, expected)
    assert torch.equal(batch.samples.sum(1), plain.samples.sum(1)) or torch.allclose(
        batch.samples.sum(1), plain.samples.sum(1), atol=1e-5
    )


def test_absent_devices_are_named() -> None:
    """A CUDA device that is not there is one clear error before anything is trained."""
    with pytest.raises(InputError, match="device: 'cuda:99' is not there"):
        session(device="cuda:99")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("framework", ALL)
def test_cuda_trains_as_the_processor_does(framework: Framework) -> None:
    """On a CUDA device every framework learns the same, up to rounding."""
    here, there = session(framework), session(framework, device="cuda")
    expected = [outcome.train_loss for outcome in run(here)]
    np.testing.assert_allclose([outcome.train_loss for outcome in run(there)], expected, rtol=1e-3)


@pytest.mark.parametrize("damage", ["cut", "noise", "other"])
def test_bad_checkpoints_are_refused(damage: str) -> None:
    """A damaged checkpoint, or one of other models, is one clear error."""
    content = session(clients=2 if damage == "other" else CLIENTS).save("")
    content = {"cut": content[: len(content) // 2], "noise": b"\xff" * 100, "other": content}[damage]
    with pytest.raises(InputError, match="checkpoint"):
        session().restore(content)
