"""How long the stages of a round really took."""

from __future__ import annotations

import numpy as np

from epsl_opt.backends.distributed.clock import ClientStamps
from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.stage_times import EVERYONE, RoundStages, StageTimes

CLIENT_STAGES = ("client_forward_s", "uplink_s", "broadcast_s", "downlink_s", "client_backward_s")
"""Stages that each client has a time of; a broadcast ends at each by itself."""


class RoundTimes:
    """What was noted in a round, on the server's clock unless said otherwise; 0 is what did not happen.

    Parameters
    ----------
    n_clients
        How many clients there are.

    Attributes
    ----------
    ahead_s
        By how much each client's clock is ahead of the server's; the error is at most half the time
        of a question and its answer.
    stamps
        What clients noted on their own clocks; None of those that have not been asked.
    """

    def __init__(self, n_clients: int) -> None:
        self.ahead_s = [0.0] * n_clients
        self.stamps: list[ClientStamps | None] = [None] * n_clients
        self.arrival_s = [0.0] * n_clients
        self.own_begin_s = [0.0] * n_clients
        self.broadcast_begin_s = 0.0
        self.server_forward_s = self.server_backward_s = self.model_exchange_s = 0.0

    def clients(self) -> dict[str, FloatArray]:
        """Return the seconds of `CLIENT_STAGES`, shape (clients,) each."""
        found = np.array([self._client(number) for number in range(len(self.stamps))])
        return dict(zip(CLIENT_STAGES, found.T, strict=True))

    def stages(self, *, in_turn: bool) -> StageTimes:
        """Return the round's stages as the clock counts them: of the client waited for, or the sum over turns."""
        found = self.clients()
        stages = RoundStages(
            **{stage: seconds for stage, seconds in found.items() if stage != "broadcast_s"},
            server_forward_s=self.server_forward_s,
            server_backward_s=self.server_backward_s,
            broadcast_s=float(found["broadcast_s"].max()),
            model_broadcast_s=self.model_exchange_s,
        )
        return stages.of_clients(EVERYONE, EVERYONE) if in_turn else stages.stage_times

    def _client(self, number: int) -> tuple[float, ...]:
        noted = self.stamps[number] or ClientStamps()
        there = noted.on_clock(self.ahead_s[number])
        own_begin_s = max(self.own_begin_s[number], there.broadcast_end_s)
        return (
            there.forward_end_s - there.forward_begin_s,
            _from(there.forward_end_s, self.arrival_s[number]),
            _from(self.broadcast_begin_s, there.broadcast_end_s),
            _from(own_begin_s, there.own_end_s) if self.own_begin_s[number] else 0.0,
            _from(there.own_end_s, there.backward_end_s),
        )


def _from(begin_s: float, end_s: float) -> float:
    """Return how long something took; clocks are compared with an error that must not make it negative."""
    return max(end_s - begin_s, 0.0) if begin_s and end_s else 0.0
