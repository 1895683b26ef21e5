"""A checkpoint is what was written, or one clear error; a training that leaves the finite numbers says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import safetensors.torch
import torch
from damage import DEEP, damaged_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch_sessions import session

from epsl_opt import InputError
from epsl_opt.backends.pytorch.checkpoint_note import NOTE, make_note
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import DivergenceError

ROUNDS = 2


def trained(**options: Any) -> bytes:
    """Return the checkpoint of a small training after its first rounds."""
    training = session(**options)
    for _ in range(ROUNDS):
        training.train_round()
    return training.save("kept")


GOOD = {optimizer: trained(optimizer=optimizer) for optimizer in ("sgd", "adam")}


def with_note(note: str, checkpoint: bytes = GOOD["sgd"]) -> bytes:
    """Return a checkpoint of the same tensors with another note."""
    return safetensors.torch.save(safetensors.torch.load(checkpoint), {NOTE: note})


def several_rounds(training: TorchSession) -> None:
    """Train on."""
    for _ in range(5):
        training.train_round()


def refusal(training: TorchSession, checkpoint: bytes) -> str | None:
    """Return why a checkpoint is refused, None if it is not; nothing but an `InputError` that names it is raised."""
    try:
        training.restore(checkpoint)
    except InputError as error:
        return str(error) if error.source == "checkpoint" else pytest.fail(str(error))
    return None


@settings(max_examples=60)
@given(optimizer=st.sampled_from(sorted(GOOD)), data=st.data())
def test_no_damaged_byte_passes(optimizer: str, data: st.DataObject) -> None:
    """With any byte flipped, replaced, missing or cut off, it is an error that names the checkpoint, or as before."""
    damaged = data.draw(damaged_bytes(GOOD[optimizer]))
    training = session(optimizer=optimizer)
    if refusal(training, damaged) is None:
        assert training.save("kept") == GOOD[optimizer]


def test_a_flipped_bit_of_a_weight_is_told() -> None:
    """The numbers are covered by a digest, which the message speaks of."""
    content = bytearray(GOOD["sgd"])
    content[-3] ^= 1
    with pytest.raises(InputError, match="checkpoint: is damaged: its content is not what was written"):
        session().restore(bytes(content))


def test_a_checkpoint_without_a_digest_is_read() -> None:
    """As older versions wrote it, a checkpoint is gone on from."""
    training = session()
    assert training.restore(with_note(json.dumps([ROUNDS, "kept"]))) == "kept"
    assert training.save("kept") == GOOD["sgd"]


@pytest.mark.parametrize(
    "note",
    [
        '[Infinity, "kept"]', '[NaN, "kept"]', '[1e999, "kept"]', '[1.5, "kept"]', '["1", "kept"]', '[true, "kept"]',
        '[-1, "kept"]', "[1" + "0" * 400 + ', "kept"]', "[" + "1" * 5000 + ', "kept"]', "[1, 2]", '[1, "kept", 3]',
        '[1, "kept", "0"]', '[1, "kept", null, null]', "[1]", "[]", "{}", "null", "1", "", "[", DEEP, '"text"',
        '[1, "\\ud800"]',
    ],
)  # fmt: skip
def test_crafted_metadata_are_one_line(note: str) -> None:
    """Whatever stands in the metadata, the checkpoint is refused in one short line, or is one without a digest."""
    refused = refusal(session(), with_note(note))
    assert (refused is None) == (note == '[1, "\\ud800"]')
    assert len(refused or "") < 300


CRAFTED: dict[str, Callable[[dict[str, Tensor]], object]] = {
    "other shape": lambda found: found.update({"server_optimiser.0.exp_avg": torch.zeros(7)}),
    "no such parameter": lambda found: found.update({"server_optimiser.99.exp_avg": torch.zeros(1)}),
    "no such entry": lambda found: found.update({"server_optimiser.0.more": torch.zeros(1)}),
    "half of what is kept": lambda found: found.pop("server_optimiser.0.exp_avg"),
    "no such optimiser": lambda found: found.update({"other_optimiser.0.exp_avg": torch.zeros(1)}),
    "other numbers": lambda found: found.update({"network0.0.0.bias": found["network0.0.0.bias"].to(torch.int64)}),
    "a weight less": lambda found: found.pop("network0.0.0.bias"),
}


@pytest.mark.parametrize("kind", CRAFTED)
def test_crafted_tensors_are_refused(kind: str) -> None:
    """Tensors that these models and optimisers don't have are refused by name, even under a digest that fits."""
    found = safetensors.torch.load(GOOD["adam"])
    CRAFTED[kind](found)
    content = safetensors.torch.save(found, make_note(ROUNDS, "kept", found))
    with pytest.raises(InputError, match=r"checkpoint: .*(optimiser|network0)\S*: is not of these models"):
        session(optimizer="adam").restore(content)


def test_a_crafted_step_count_ends_in_divergence() -> None:
    """A counter by which an optimiser divides by zero is no crash."""
    found = safetensors.torch.load(GOOD["adam"])
    found |= {key: torch.tensor(-1.0) for key in found if key.endswith(".step")}
    training = session(optimizer="adam")
    training.restore(safetensors.torch.save(found, make_note(ROUNDS, "kept", found)))
    with pytest.raises(DivergenceError):
        several_rounds(training)


@pytest.mark.parametrize("framework", ["epsl", "sl", "fl"])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 1e308},
        {"lr": 1e39},
        {"lr": 3.4e38, "optimizer": "adam"},
        {"lr": 1e308, "optimizer": "adamw", "weight_decay": 1e308},
        {"weight_decay": 1e308},
        {"client_lr": 1e308},
    ],
)
def test_finite_options_beyond_all_measure_diverge(framework: str, options: dict[str, Any]) -> None:
    """A step too large for the numbers of a network is divergence, not another error, whatever the options allow."""
    training = session(Framework(framework), validate=False, **options)
    with pytest.raises(DivergenceError):
        several_rounds(training)


def test_scores_of_a_network_that_is_not_finite_are_none() -> None:
    """What has left the finite numbers in its last step gets no accuracy, but is divergence."""
    training = session(lr=1e308, validate=False)
    training.train_round()
    with pytest.raises(DivergenceError, match="evaluation"):
        training.evaluate()
