"""Generated networks: a chain cut from one learns as the network does, or is refused in one line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from campaign.command import run_command
from campaign.faults import Fault, FaultKind
from campaign.judging import command_faults
from campaign.part import Part, Trial

if TYPE_CHECKING:
    from torch import nn

SOURCE = """\
import numpy as np
from campaign.generated_networks import random_network

make, shape, classes = random_network(np.random.default_rng({seed}))
"""
"""A user's module; its factory is `make`."""

SLACK = 1e-9


class Networks(Part):
    """Networks."""

    name = "networks"
    title = "generated networks against the chains cut from them"
    share = 0.02

    def missing(self) -> str | None:
        """Networks are torch's."""
        return "torch is not installed" if find_spec("torch") is None else None

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Profile one network by the command line, then compare it with its chain."""
        import numpy as np

        from campaign.generated_networks import random_network

        seed = int(trial.rng.integers(2**31))
        module = f"generated_{seed}"
        Path(f"{module}.py").write_text(SOURCE.format(seed=seed))
        make, shape, classes = random_network(np.random.default_rng(seed))
        sides = ",".join(map(str, shape))
        arguments = ["profile", f"{module}:make", "--input", sides, "--classes", str(classes), "-f", "json"]
        outcome = run_command(arguments)
        kinds = ", ".join(make().kinds)
        faults = [Fault(f.kind, f"{kinds}: {f.where}", f.detail) for f in command_faults(outcome)]
        return faults if outcome.code else [*faults, *_chain_faults(make(), shape, kinds)]


def _chain_faults(network: nn.Module, shape: tuple[int, ...], kinds: str) -> Iterator[Fault]:
    """Yield where the chain is not the network, in training or in cost."""
    import torch

    from campaign.generated_networks import differences
    from epsl_opt.backends.pytorch.chain import chain_of
    from epsl_opt.backends.pytorch.profiling import profile_chain

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the command line has told them
        chain = chain_of("generated", network, torch.zeros(2, *shape))
        profile = profile_chain(chain, shape)
        yield from (Fault(FaultKind.WRONG_COUNT, kinds, detail) for detail in _wrong_counts(network, profile, shape))
        found = differences(network, chain, shape)
    if found:
        yield Fault(FaultKind.WRONG_NETWORK, kinds, "; ".join(found[:4]))


def _wrong_counts(network: nn.Module, profile: Any, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield what is wrong with a profile: what the linear layers that run must cost, and sums that don't grow."""
    least = _linear_flops(network, shape)
    if profile.total_forward_flops < least * (1 - SLACK):
        yield f"{profile.total_forward_flops} FLOPs forward, but its linear layers alone take {least}"
    for name in ("client_forward_flops", "client_backward_flops", "client_parameter_bits"):
        values = [getattr(cut, name) for cut in profile.cut_layers]
        if values != sorted(values):
            yield f"{name} falls from cut to cut: {values}"


def _linear_flops(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the multiplications and additions of the linear layers that run for one sample, by hand."""
    import torch

    rows = 4
    flops: list[float] = []

    def count(module: Any, given: Any, result: Any) -> None:
        flops.append(2.0 * module.in_features * result.numel() / rows)

    layers = [layer for layer in network.modules() if type(layer) is torch.nn.Linear]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    dtype = next(network.parameters()).dtype
    with torch.no_grad():
        least = []
        for _ in range(3):  # a layer that is left out at random counts only if it never is
            flops.clear()
            network(torch.zeros(rows, *shape, dtype=dtype))
            least.append(sum(flops))
    for hook in hooks:
        hook.remove()
    return min(least)
