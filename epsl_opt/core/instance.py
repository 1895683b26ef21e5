"""One instance of the resource-management problem: everything that is given (paper, sections III and IV).

All quantities are SI: seconds, hertz, watts, bits, FLOPs, metres. C is the number of clients, M of subchannels,
J of cut layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from pydantic import model_validator

from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance_data import InstanceData
from epsl_opt.core.instance_parts import Channel, Client, CutLayer, ModelProfile, Server, Subchannels, Training
from epsl_opt.core.number_range import out_of_range
from epsl_opt.core.options import unknown

__all__ = (
    "Channel",
    "Client",
    "CutLayer",
    "Instance",
    "ModelProfile",
    "Server",
    "Subchannels",
    "Training",
)

SMALLEST_GAIN = 1e-60
"""Less, -600 dB, is no channel; squares of it would underflow."""


class Instance(InstanceData):
    """An instance of the problem; the file format `epsl-opt/instance` is this record as JSON."""

    @model_validator(mode="after")
    def _check_shapes(self) -> Self:
        """Every array fits the number of clients and subchannels."""
        C, M = len(self.clients), len(self.subchannels.bandwidth_hz)
        if len(self.subchannels.center_frequency_hz) != M:
            found = len(self.subchannels.center_frequency_hz)
            raise ValueError(f"subchannels.center_frequency_hz: has {found} entries, but bandwidth_hz has {M}")
        for field in ("uplink_gain", "downlink_gain"):
            rows, columns = getattr(self.channel, field).shape
            if rows != C:
                raise ValueError(f"channel.{field}: has {rows} rows, but there are {C} clients")
            gain = getattr(self.channel, field)
            if ((gain > 0) & (gain < SMALLEST_GAIN)).any():
                raise ValueError(f"channel.{field}: a gain must be 0 or at least {SMALLEST_GAIN:g}")
            if columns != M:
                raise ValueError(f"channel.{field}: has rows of {columns}, but there are {M} subchannels")
        return self

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        """All that follows from the fields stays within the numbers that latencies can be computed with."""
        if problem := out_of_range(self):
            raise ValueError(problem)
        return self

    def with_training(
        self,
        *,
        batch_size: int | None = None,
        aggregation_ratio: float | None = None,
        min_cut_layer: str | None = None,
        framework: Framework | None = None,
        average_every: int | None = None,
    ) -> Instance:
        """Return the same instance with other training parameters; those not given stay.

        A framework comes with its own averaging: models are averaged as `average_every` says, otherwise never. One
        round has one way to be written: EPSL's is an instance without a framework, PSL's is that with an aggregation
        ratio of 0, and that is the ratio of all others, too.

        Raises
        ------
        pydantic.ValidationError
            If a value is out of its range, or there is no such cut layer.
        """
        given = {"batch_size": batch_size, "aggregation_ratio": aggregation_ratio, "min_cut_layer": min_cut_layer}
        changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if framework is not None:
            own = None if framework in (Framework.EPSL, Framework.PSL) else framework
            changed |= {"framework": own, "average_every": average_every}
            changed |= {} if framework is Framework.EPSL else {"aggregation_ratio": 0.0}
        elif average_every is not None:
            changed["average_every"] = average_every
        if all(getattr(self.training, name) == value for name, value in changed.items()):
            return self
        return self.replace(training=self.training.model_copy(update=changed))

    @model_validator(mode="after")
    def _check_min_cut_layer(self) -> Self:
        """The first cut layer that is allowed is one of the model's."""
        names = [cut.name for cut in self.model.cut_layers]
        first = self.training.min_cut_layer
        if first is not None and first not in names:
            raise ValueError(f"training.min_cut_layer: {unknown(first, names)}")
        return self

    def with_cut_layers(self, names: Sequence[str]) -> Instance:
        """Return the same instance with these of its cut layers only, in their order.

        Raises
        ------
        InputError
            If it has no such cut layer.
        """
        known = {cut.name: cut for cut in self.model.cut_layers}
        for name in names:
            if name not in known:
                raise InputError(f"model {self.model.name}", unknown(name, list(known)), "cut_layers")
        # What clients store up to a cut stays what it is without the cuts before it.
        stored = {cut.name: self.model.stored_activation_bits(j) for j, cut in enumerate(self.model.cut_layers)}
        kept = tuple(
            cut.model_copy(update={"stored_activation_bits": stored[cut.name]})
            for cut in self.model.cut_layers
            if cut.name in names
        )
        return self.replace(model=self.model.model_copy(update={"cut_layers": kept}))

    def replace(self, **fields: Any) -> Instance:
        """Return a copy with the given top-level fields replaced, validated again.

        Raises
        ------
        pydantic.ValidationError
            If the new fields do not fit the rest.
        """
        return Instance(**{name: getattr(self, name) for name in type(self).model_fields} | fields)

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, which schedule files refer to (see `Record.content_sha256`)."""
        return self.content_sha256
