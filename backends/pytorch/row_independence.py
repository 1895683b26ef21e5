"""Whether what a network answers for one sample depends on the samples beside it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.batch_norm import training_mode
from epsl_opt.backends.pytorch.module_state import left_alone, load
from epsl_opt.backends.pytorch.options import BatchNorm
from epsl_opt.backends.pytorch.randomness import generators_restored, seed_generators
from epsl_opt.backends.pytorch.trial_inputs import Inputs, runnable_inputs, what_failed
from epsl_opt.core.errors import InputError

ROWS = 4

TOLERANCE = 1e-3
"""Of the largest number; batches of other sizes are computed in another order."""


def refuse_rows_that_mix(name: str, network: nn.Module, example: Tensor) -> None:
    """Refuse a network whose samples see one another, but for PyTorch's own batch normalisation in training.

    Which samples share a pass is a matter of framework and aggregation, and of the size of a test batch. For batch
    normalisation it is laid down; what else looks at the batch would learn something else each time.

    Raises
    ------
    InputError
        If they do, saying in which mode.
    """
    with left_alone(network), generators_restored(), torch.no_grad():
        try:
            problem = next(_mixing(network, runnable_inputs(network, example)), None)
        except Exception as error:
            problem = f"does not run on batches of 1, 2 and {ROWS}: {what_failed(error)}"
    if problem is not None:
        raise InputError(f"network {name}", problem)


def _mixing(network: nn.Module, inputs: Inputs) -> Iterator[str]:
    begin = {key: value.clone() for key, value in network.state_dict().items()}

    def answer(batch: Tensor, seed: int = 0) -> Tensor:
        # Passes of training may change buffers, and with them the answers of the next.
        load(network, begin)
        seed_generators(seed)
        found: Tensor = network(batch.clone())
        return found

    x, other = inputs.batch(ROWS, seed=0), inputs.batch(ROWS, seed=1)
    other[0] = x[0]
    for mode in ("training", "evaluation"):
        _set_mode(network, mode)
        whole, again = answer(x), answer(x, seed=1)
        if not _alike(whole[:1], answer(other)[:1]):
            yield f"what it answers for a sample in {mode} depends on the others of its batch"
        alone = range(1, 3) if torch.equal(whole, again) else ()
        for n in alone:
            if not _alike(whole[:n], answer(x[:n])):
                yield f"what it answers for a sample in {mode} depends on the size of its batch"


def _set_mode(network: nn.Module, mode: str) -> None:
    if mode == "training":
        training_mode(network, BatchNorm.FROZEN)
    else:
        network.eval()


def _alike(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.allclose(
        a.double(), b.double(), rtol=0.0, atol=TOLERANCE * float(a.abs().max()), equal_nan=True
    )
