"""A round as phases between barriers, of whatever framework; they add up to the round latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.framework import Framework
from epsl_opt.files.documents import Stages

TIE_TOLERANCE = 1e-6
"""Clients that reach a barrier within this fraction of its phase reach it together."""

UPLINK, DOWNLINK, MODELS, LOCAL = "uplink phase", "downlink phase", "model upload", "local training"
"""Phases in which clients work side by side."""

Parts = dict[str, FloatArray]


@dataclass(frozen=True)
class Phase:
    """A stretch of the round between two barriers.

    `waits_for` says who ends it, `stage` what that one spends most of the phase on. `stragglers` are the indices of
    all clients that end it: good power control makes several finish at the same moment. A client's turn has none.
    """

    name: str
    start_s: float
    duration_s: float
    waits_for: str
    stage: str
    stragglers: tuple[int, ...] = ()

    @property
    def end_s(self) -> float:
        """When the barrier is reached, from the start of the round."""
        return self.start_s + self.duration_s


def turn_parts(stages: Stages) -> Parts:
    """Return what clients that take turns do in theirs, in order: stage -> seconds of shape (clients,)."""
    idle = np.zeros(len(stages.client_forward_s))
    return {
        "model download": idle if stages.model_download_s is None else stages.model_download_s,
        "client forward": stages.client_forward_s,
        "uplink": stages.uplink_s,
        "server forward": idle + stages.server_forward_s,
        "server backward": idle + stages.server_backward_s,
        "downlink": stages.downlink_s,
        "client backward": stages.client_backward_s,
        "model upload": idle if stages.model_upload_s is None else stages.model_upload_s,
    }


def local_parts(stages: Stages) -> Parts:
    """Return what clients do that train the whole network, in order: stage -> seconds of shape (clients,)."""
    parts = {"client forward": stages.client_forward_s, "client backward": stages.client_backward_s}
    return parts if stages.model_upload_s is None else parts | {"model upload": stages.model_upload_s}


def round_phases(stages: Stages, framework: Framework | None, names: Sequence[str]) -> tuple[Phase, ...]:
    """Return the phases of a round in order.

    Parameters
    ----------
    stages
        Of the round, lists of C entries.
    framework
        Whose round it is; EPSL's if None.
    names
        Of the C clients.
    """
    match framework:
        case Framework.SL:
            return _turns(stages, names)
        case Framework.FL:
            made = _Phases(names)
            made.of_clients(LOCAL, local_parts(stages))
            made.alone("model broadcast", stages.broadcast_s, "slowest receiver")
        case _:
            made = _Phases(names)
            _split_round(made, stages)
    return tuple(made.found)


def _split_round(made: _Phases, stages: Stages) -> None:
    made.of_clients(UPLINK, {"client forward": stages.client_forward_s, "uplink": stages.uplink_s})
    made.alone("server forward", stages.server_forward_s, "server")
    made.alone("server backward", stages.server_backward_s, "server")
    made.alone("broadcast", stages.broadcast_s, "slowest receiver")
    made.of_clients(DOWNLINK, {"downlink": stages.downlink_s, "client backward": stages.client_backward_s})
    if stages.model_upload_s is not None:
        made.of_clients(MODELS, {"model upload": stages.model_upload_s})
        made.alone("model broadcast", stages.model_broadcast_s or 0.0, "slowest receiver")


def _turns(stages: Stages, names: Sequence[str]) -> tuple[Phase, ...]:
    parts = turn_parts(stages)
    stage_names, times = list(parts), np.array(list(parts.values()))
    length = times.sum(axis=0)
    start = np.concatenate([[0.0], np.cumsum(length)])
    mostly = times.argmax(axis=0)
    return tuple(
        Phase(f"turn of {name}", float(start[i]), float(length[i]), name, stage_names[mostly[i]])
        for i, name in enumerate(names)
    )


class _Phases:
    """Phases one after another."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.found: list[Phase] = []

    def alone(self, stage: str, duration_s: float, who: str) -> None:
        """Add a phase of one stage that is not the clients'."""
        self.found.append(Phase(stage, self._end_s, duration_s, who, stage))

    def of_clients(self, name: str, parts: Parts) -> None:
        """Add a phase in which clients work side by side and wait for the slowest."""
        total = np.sum(list(parts.values()), axis=0)
        last = np.flatnonzero(total >= total.max() * (1 - TIE_TOLERANCE))
        # Of equally long stages the later one.
        stage = max(reversed(parts), key=lambda part: float(parts[part][last].sum()))
        others = f" and {len(last) - 1} more" if len(last) > 1 else ""
        stragglers = tuple(int(i) for i in last)
        self.found.append(Phase(name, self._end_s, float(total.max()), self.names[last[0]] + others, stage, stragglers))

    @property
    def _end_s(self) -> float:
        return self.found[-1].end_s if self.found else 0.0
