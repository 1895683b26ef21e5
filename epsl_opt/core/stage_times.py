"""Where the time of one round goes, whatever the framework: per client and, added up, per stage."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import FloatArray, frozen

NO_MODELS = frozen(np.zeros(1))
"""The `model_upload_s` of a round in which no client sends its model."""

EVERYONE = slice(None)
"""All clients, for `RoundStages.of_clients`."""


@dataclass(frozen=True)
class StageTimes:
    """Where the time of a round goes, in seconds; the fields add up to the round latency.

    Of stages that clients run side by side, it is the time of the client that the others wait for; of clients that
    take turns, the sum. `model_exchange_s` is the time to send client-side or whole models.
    """

    client_forward_s: float = 0.0
    uplink_s: float = 0.0
    server_forward_s: float = 0.0
    server_backward_s: float = 0.0
    broadcast_s: float = 0.0
    downlink_s: float = 0.0
    client_backward_s: float = 0.0
    model_exchange_s: float = 0.0

    @property
    def round_latency_s(self) -> float:
        """The time of the whole round."""
        return float(sum(astuple(self)))


@dataclass(frozen=True, eq=False)
class RoundStages:
    """The stages of one round, in seconds; those of clients have shape (clients,).

    Clients work side by side and wait for each other at the end of each phase. A framework in which they do not is a
    subclass. `model_upload_s` has shape (1,) and holds 0 where models are not exchanged.
    """

    client_forward_s: FloatArray
    uplink_s: FloatArray
    server_forward_s: float
    server_backward_s: float
    broadcast_s: float
    downlink_s: FloatArray
    client_backward_s: FloatArray
    model_upload_s: FloatArray = field(default_factory=lambda: NO_MODELS, kw_only=True)
    model_broadcast_s: float = field(default=0.0, kw_only=True)

    @property
    def uploaded_s(self) -> FloatArray:
        """t1_i + t2_i: when each client's smashed data is at the server, shape (clients,)."""
        return self.client_forward_s + self.uplink_s

    @property
    def downloaded_s(self) -> FloatArray:
        """t6_i + t7_i: what each client takes after the broadcast, shape (clients,)."""
        return self.downlink_s + self.client_backward_s

    @cached_property
    def uplink_phase_s(self) -> float:
        """max_i (t1_i + t2_i): until the slowest client's smashed data is at the server."""
        return float(np.max(self.uploaded_s))

    @property
    def shared_s(self) -> float:
        """t3 + t4 + t5: the server's stages, in which all clients wait."""
        return self.server_forward_s + self.server_backward_s + self.broadcast_s

    @cached_property
    def downlink_phase_s(self) -> float:
        """max_i (t6_i + t7_i): until the slowest client has finished its backward pass."""
        return float(np.max(self.downloaded_s))

    @property
    def slowest_upload_s(self) -> float:
        """max_i beta_j / R_i: until the slowest client's model is at the server, which then broadcasts the average."""
        return 0.0 if self.model_upload_s is NO_MODELS else float(self.model_upload_s.max())

    @cached_property
    def round_latency_s(self) -> float:
        """The phases, one after another: without exchange of models T(r, p, j), the objective."""
        split = self.uplink_phase_s + self.shared_s + self.downlink_phase_s
        return split + self.slowest_upload_s + self.model_broadcast_s

    @property
    def stage_times(self) -> StageTimes:
        """The stages of those whom the others wait for."""
        return self.of_clients(int(np.argmax(self.uploaded_s)), int(np.argmax(self.downloaded_s)))

    def of_clients(self, up: int | slice, down: int | slice) -> StageTimes:
        """Return the sum over the clients `up` of what comes before the server's stages, over `down` of the rest."""
        return StageTimes(
            client_forward_s=float(self.client_forward_s[up].sum()),
            uplink_s=float(self.uplink_s[up].sum()),
            server_forward_s=self.server_forward_s,
            server_backward_s=self.server_backward_s,
            broadcast_s=self.broadcast_s,
            downlink_s=float(self.downlink_s[down].sum()),
            client_backward_s=float(self.client_backward_s[down].sum()),
            model_exchange_s=self.slowest_upload_s + self.model_broadcast_s,
        )
