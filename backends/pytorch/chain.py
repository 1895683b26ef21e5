"""A network as a chain of segments: what a cut layer cuts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from epsl_opt.core.errors import InputError


@dataclass(frozen=True, eq=False)
class Chain:
    """A network as a chain of segments, one tensor between neighbours; it can be cut after each but the last.

    Parameters
    ----------
    name
        Of the network.
    names
        One per segment, unique; a cut layer is called as the last segment of the client.
    segments
        Parts of the network in order. The last one holds its last layer with weights and gives the logits.
    """

    name: str
    names: tuple[str, ...]
    segments: tuple[nn.Module, ...]

    def client_side(self, n_segments: int) -> nn.Sequential:
        """Return the first `n_segments` segments, not copied."""
        return nn.Sequential(*self.segments[:n_segments])

    def server_side(self, n_segments: int) -> nn.Sequential:
        """Return the segments after the first `n_segments`, not copied."""
        return nn.Sequential(*self.segments[n_segments:])


def chain_of(name: str, network: nn.Module, example: Tensor, *, proven: bool = False) -> Chain:
    """Cut a network wherever exactly one tensor passes; the segments hold the network's own parameters.

    A network that a wrapper holds (data parallelism, compilation) is taken out of it, and lazy layers get their
    shapes. The chain is compared with the network before it is returned.

    Parameters
    ----------
    name
        How the network is called in messages and profiles.
    network
        Any module that takes one tensor and returns one.
    example
        A batch of input, of which shape and type matter, not the values.
    proven
        Whether the chain need not be compared with the network, since that was done before.

    Raises
    ------
    InputError
        If the network does not take such an input, can't be followed, has no place to be cut, or is not its chain.
    """
    from epsl_opt.backends.pytorch.cut_points import find_segments
    from epsl_opt.backends.pytorch.likeness import refuse_other
    from epsl_opt.backends.pytorch.module_state import left_alone
    from epsl_opt.backends.pytorch.randomness import generators_restored
    from epsl_opt.backends.pytorch.ready_networks import ready
    from epsl_opt.backends.pytorch.tracing import trace

    network = ready(name, network, example)
    with left_alone(network), generators_restored():
        found = find_segments(name, trace(name, network), example)
        if len(found) < 2:
            problem = "has no place to cut it: nowhere between two layers with weights does exactly one tensor pass"
            raise InputError(f"network {name}", problem)
        if not proven:
            refuse_other(name, network, list(found.values()), example)
    return Chain(name, tuple(found), tuple(found.values()))
