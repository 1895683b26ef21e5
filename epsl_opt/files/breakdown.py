"""A schedule document taken apart for people: what each client has, who is the straggler, what binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from epsl_opt.core.arrays import FloatArray, IntArray
from epsl_opt.core.errors import SCHEDULE, InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.files.documents import CutReference, Rates, ScheduleDocument, Stages, refuse_foreign
from epsl_opt.files.round_phases import DOWNLINK, Phase, round_phases


@dataclass(frozen=True)
class ClientRow:
    """One client's part of a schedule and of the round; `straggler` names the phases that wait for it.

    Deadlines count from the start of the round. A client that has its smashed data at the server by `uplink_deadline_s`
    and ends its backward pass by `round_deadline_s` does not lengthen the round. A client that takes turns with others
    has the end of its own turn for both.
    """

    client: int
    name: str
    batch_size: int
    cut_layer: int
    cut_layer_name: str
    subchannels: int
    subchannel_indices: tuple[int, ...]
    power_w: float
    uplink_bps: float
    downlink_bps: float
    client_forward_s: float
    uplink_s: float
    downlink_s: float
    client_backward_s: float
    uplink_deadline_s: float
    round_deadline_s: float
    straggler: str
    model_upload_s: float | None = None
    model_download_s: float | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the row as a dictionary; times of models are there only where clients send or get models."""
        row = asdict(self)
        return {name: value for name, value in row.items() if value is not None}


class Breakdown:
    """Everything derived from a document with a schedule.

    Parameters
    ----------
    document
        A verified schedule.
    client_names
        Names of the clients; `client 0`, `client 1`, ... if not given.

    Raises
    ------
    InputError
        If the document holds no schedule, or its parts do not fit each other.
    """

    def __init__(self, document: ScheduleDocument, client_names: Sequence[str] | None = None) -> None:
        if (
            document.cut_layer is None
            or document.stages is None
            or document.rates is None
            or document.subchannel_client is None
        ):
            raise InputError(SCHEDULE, f"holds no schedule: status {document.status}, {document.stop_reason}")
        self.document = document
        self.cut_layer: CutReference = document.cut_layer
        self.stages: Stages = document.stages
        self.rates: Rates = document.rates
        self.n_clients = len(self.stages.client_forward_s)
        self.names = tuple(client_names or (f"client {i}" for i in range(self.n_clients)))
        self._refuse_misfits()

    @cached_property
    def owner(self) -> IntArray:
        """Client index of each subchannel, -1 where it is free, shape (subchannels,)."""
        owners = self.document.subchannel_client or ()
        return np.array([-1 if client is None else client for client in owners], dtype=np.intp)

    @property
    def power_w(self) -> FloatArray:
        """Uplink power, shape (subchannels,)."""
        power = self.document.subchannel_power_w
        return np.zeros(0) if power is None else power

    @cached_property
    def phases(self) -> tuple[Phase, ...]:
        """The phases of the round in order; they add up to the round latency."""
        return round_phases(self.stages, self.document.framework, self.names)

    @cached_property
    def clients(self) -> tuple[ClientRow, ...]:
        """One row per client."""
        return tuple(self._client_row(i) for i in range(self.n_clients))

    def _client_row(self, i: int) -> ClientRow:
        waits = [phase.name for phase in self.phases if i in phase.stragglers]
        held = np.flatnonzero(self.owner == i)
        first_s, last_s = self._deadlines_s(i)
        up, down = self.stages.model_upload_s, self.stages.model_download_s
        return ClientRow(
            client=i,
            name=self.names[i],
            batch_size=self.document.batch_size,
            cut_layer=self.cut_layer.index,
            cut_layer_name=self.cut_layer.name,
            subchannels=len(held),
            subchannel_indices=tuple(held.tolist()),
            power_w=float(self.power_w[held].sum()),
            uplink_bps=float(self.rates.uplink_bps[i]),
            downlink_bps=float(self.rates.downlink_bps[i]),
            client_forward_s=float(self.stages.client_forward_s[i]),
            uplink_s=float(self.stages.uplink_s[i]),
            downlink_s=float(self.stages.downlink_s[i]),
            client_backward_s=float(self.stages.client_backward_s[i]),
            uplink_deadline_s=first_s,
            round_deadline_s=last_s,
            straggler=", ".join(waits),
            model_upload_s=None if up is None else float(up[i]),
            model_download_s=None if down is None else float(down[i]),
        )

    def _deadlines_s(self, i: int) -> tuple[float, float]:
        """When client i's first message must be sent, and when its backward pass must be done."""
        if self.document.framework is Framework.SL:
            return self.phases[i].end_s, self.phases[i].end_s
        last = next((phase for phase in self.phases if phase.name == DOWNLINK), self.phases[-1])
        return self.phases[0].end_s, last.end_s

    def _refuse_misfits(self) -> None:
        C, M = self.n_clients, len(self.owner)
        per_client = ("uplink_s", "downlink_s", "client_backward_s")
        lengths = [len(getattr(self.stages, field)) for field in per_client]
        models = (self.stages.model_upload_s, self.stages.model_download_s)
        lengths += [len(times) for times in models if times is not None]
        lengths += [len(self.rates.uplink_bps), len(self.rates.downlink_bps), len(self.names)]
        if any(length != C for length in lengths):
            raise InputError(SCHEDULE, f"per-client lists and names must all have {C} entries, found {lengths}")
        if len(self.power_w) != M:
            raise InputError(SCHEDULE, f"subchannel_power_w has {len(self.power_w)} entries of {M}")
        if (self.owner >= C).any():
            raise InputError(SCHEDULE, f"subchannel_client names client {int(self.owner.max())} of {C}")


def client_rows(document: ScheduleDocument, instance: Instance | None = None) -> tuple[ClientRow, ...]:
    """Return what a schedule means for each client, one row each; `dataclasses.asdict` makes plain dictionaries.

    Parameters
    ----------
    document
        A verified schedule, as `read_schedule` returns it.
    instance
        The instance it is for, if the rows should have its clients' names.

    Raises
    ------
    InputError
        If the document holds no schedule, its parts do not fit each other, or it is for another instance.
    """
    if instance is not None:
        refuse_foreign(document, instance, SCHEDULE)
    names = None if instance is None else [client.name for client in instance.clients]
    return Breakdown(document, names).clients
