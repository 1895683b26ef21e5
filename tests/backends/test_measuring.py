"""Networks timed on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from sample_networks import BRANCHING, IMAGE

from epsl_opt.backends.pytorch.chain import chain_of
from epsl_opt.backends.pytorch.measuring import measure_chain, peak_memory_bytes
from epsl_opt.backends.pytorch.profiling import profile_chain


@pytest.mark.parametrize("kind", BRANCHING)
def test_a_measurement_has_every_layer_and_changes_nothing(kind: str) -> None:
    """Every segment is timed, its FLOPs are the profile's for a batch, and the network is left as it was."""
    network = BRANCHING[kind]()
    chain = chain_of(kind, network, torch.zeros(1, *IMAGE))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    found = measure_chain(chain, IMAGE, batch_size=3, repeats=2)
    assert tuple(layer.name for layer in found.layers) == chain.names
    assert all(layer.forward_s > 0 and layer.backward_s > 0 for layer in found.layers)
    counted = profile_chain(chain, IMAGE)
    assert sum(layer.forward_flops for layer in found.layers) == pytest.approx(3 * counted.total_forward_flops)
    assert sum(layer.backward_flops for layer in found.layers) == pytest.approx(3 * counted.total_backward_flops)
    assert found.batch_size == 3
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_memory_is_what_the_system_says() -> None:
    """The peak is that which the kernel reports for this process, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kibibytes = int(status.partition("VmHWM:")[2].split()[0])
    assert peak_memory_bytes() == pytest.approx(1024 * kibibytes, rel=0.05)
