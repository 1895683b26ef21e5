"""The schedule file: all that an external trainer needs, and nothing it must compute again."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from epsl_opt.core.arrays import NonNegativeVector
from epsl_opt.core.by_value import ByValue
from epsl_opt.core.checker import Violation, check, check_bound, check_claim
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.instance_parts import Training
from epsl_opt.core.latency import broadcast_rate_bps, downlink_rates_bps, uplink_rates_bps
from epsl_opt.core.outcome import SolutionStatus, StopReason, refuse_impossible_pair
from epsl_opt.core.record import AsTuple, JsonObject, Name, NonNegativeFloat, PositiveInt, Record, UnitInterval
from epsl_opt.core.results import SolveResult, TracePoint, check_proof, relative_gap
from epsl_opt.core.schedule import FREE, Schedule
from epsl_opt.core.stage_times import NO_MODELS, RoundStages

ClientIndex = Annotated[int, Field(ge=0, lt=2**31)]


FRAMEWORK_FIELDS = frozenset({"framework", "average_every", "model_upload_s", "model_broadcast_s", "model_download_s"})
"""What is there for some frameworks only."""


class InstanceReference(Record):
    """Which instance a schedule is for."""

    name: Name = Field(description="of the instance")
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="digest of its content as canonical JSON")]


class CutReference(Record):
    """Where the network is cut."""

    index: Annotated[int, Field(ge=0, description="0-based index into the instance's cut_layers")]
    name: Name = Field(description="of the cut layer")


class Stages(Record):
    """Every stage latency of one round; lists have one entry per client."""

    client_forward_s: NonNegativeVector = Field(description="t1_i, client i's forward pass of one batch; C entries")
    uplink_s: NonNegativeVector = Field(description="t2_i, client i sends its smashed data; C entries")
    server_forward_s: NonNegativeFloat = Field(description="t3, the server's forward pass of all clients' batches")
    server_backward_s: NonNegativeFloat = Field(
        description="t4, the server's backward pass, aggregated samples counted once"
    )
    broadcast_s: NonNegativeFloat = Field(description="t5, aggregated gradients to all clients at once")
    downlink_s: NonNegativeVector = Field(description="t6_i, client i gets its own unaggregated gradients; C entries")
    client_backward_s: NonNegativeVector = Field(description="t7_i, client i's backward pass; C entries")
    model_upload_s: NonNegativeVector | None = Field(
        default=None, description="client i sends its model, in the mean of rounds; C entries"
    )
    model_broadcast_s: NonNegativeFloat | None = Field(
        default=None, description="the average of the models to all clients at once, in the mean of rounds"
    )
    model_download_s: NonNegativeVector | None = Field(
        default=None, description="client i gets the client-side model, where clients take turns; C entries"
    )


class Rates(Record):
    """The rates behind the stages; lists have one entry per client."""

    uplink_bps: NonNegativeVector = Field(description="R_i, client i's uplink over its subchannels; C entries")
    downlink_bps: NonNegativeVector = Field(description="R'_i, its downlink over the same subchannels; C entries")
    broadcast_bps: NonNegativeFloat = Field(description="R_bc, over all subchannels to the slowest client")


class ScheduleDocument(Record):
    """A schedule with its latency, bound and provenance; the file format `epsl-opt/schedule` is this record as JSON.

    Where there is no verified schedule, everything that describes one is null.
    """

    format: Literal["epsl-opt/schedule"] = "epsl-opt/schedule"
    version: Literal[1] = 1
    instance: InstanceReference = Field(description="which instance it is for")
    solver: Name = Field(description="registered name of the solver that made it")
    status: Annotated[SolutionStatus, ByValue(SolutionStatus, listed=True)] = Field(
        description="what the checker says there is"
    )
    stop_reason: Annotated[StopReason, ByValue(StopReason)] = Field(description="why the solver stopped")
    cut_layer: CutReference | None = Field(description="the last layer all clients hold")
    batch_size: PositiveInt = Field(description="b, samples of each client in a round")
    aggregation_ratio: UnitInterval = Field(
        description="phi; the first ceil(phi b) samples of every batch have their gradients aggregated"
    )
    framework: Annotated[Framework, ByValue(Framework)] | None = Field(
        default=None, description="whose round it is; EPSL's if not given"
    )
    average_every: PositiveInt | None = Field(
        default=None, description="I: client-side models are averaged after every so many rounds; never if not given"
    )
    subchannel_client: Annotated[tuple[ClientIndex | None, ...], Field(min_length=1), AsTuple] | None = Field(
        description="0-based index of the client that holds each subchannel, null where it is free; M entries"
    )
    subchannel_power_w: NonNegativeVector | None = Field(
        description="uplink power p_k on each subchannel, 0 where it is free; M entries"
    )
    latency_s: NonNegativeFloat | None = Field(description="T, the latency of one round, recomputed by the checker")
    bound_s: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        description="proved lower bound on the latency of every schedule, null if there is none"
    )
    gap: NonNegativeFloat | None = Field(description="(latency_s - bound_s) / latency_s, null if either is missing")
    stages: Stages | None = Field(description="every stage latency of one round")
    rates: Rates | None = Field(description="the rates behind the stages")
    provenance: JsonObject = Field(description="versions, processor, limits, options, seed, times, trace, message")

    @model_validator(mode="after")
    def _check_presence(self) -> Self:
        """A verified schedule is whole; any other status carries none."""
        verified = self.status is SolutionStatus.VERIFIED
        for field in ("cut_layer", "subchannel_client", "subchannel_power_w", "latency_s", "stages", "rates"):
            if verified == (getattr(self, field) is None):
                rule = "must be given" if verified else "must be null"
                raise ValueError(f"{field}: {rule} when status is {self.status}")
        refuse_impossible_pair(self.status, self.stop_reason)
        return self

    def to_document(self) -> dict[str, Any]:
        """Return the record as JSON-ready dictionaries and lists; null where there is nothing.

        What is there for some frameworks only is left out for the others.
        """
        document = self.model_dump(mode="python")
        for part in filter(None, (document, document["stages"])):
            for field in FRAMEWORK_FIELDS & part.keys():
                if part[field] is None:
                    del part[field]
        return document

    @classmethod
    def from_result(cls, instance: Instance, result: SolveResult) -> ScheduleDocument:
        """Write a result down."""
        latency, schedule = result.latency, result.schedule
        times = {"build_s": result.build_s, "solve_s": result.solve_s, "overrun_s": result.overrun_s}
        judgement = {"message": result.message, "violations": [str(violation) for violation in result.violations]}
        return cls(
            instance=InstanceReference(name=result.instance_name, sha256=result.instance_sha256),
            solver=result.solver,
            status=result.status,
            stop_reason=result.stop_reason,
            cut_layer=None if schedule is None else cut_reference(instance, schedule.cut_layer),
            batch_size=instance.training.batch_size,
            aggregation_ratio=instance.training.aggregation_ratio,
            framework=instance.training.framework,
            average_every=instance.training.average_every,
            subchannel_client=None if schedule is None else owners(schedule),
            subchannel_power_w=None if schedule is None else schedule.subchannel_power_w,
            latency_s=result.latency_s,
            bound_s=result.bound_s,
            gap=result.gap,
            stages=None if latency is None else stages(latency),
            rates=None if schedule is None else rates(instance, schedule),
            provenance={**result.provenance} | times | judgement | {"trace": trace_rows(result.trace)},
        )

    def is_for(self, instance: Instance) -> bool:
        """Return whether the document is for this instance, every number of it."""
        return self.instance.sha256 == instance.sha256

    def schedule(self) -> Schedule | None:
        """Return the decision the document describes, or None if it has none."""
        if self.cut_layer is None or self.subchannel_client is None or self.subchannel_power_w is None:
            return None
        owner = [FREE if client is None else client for client in self.subchannel_client]
        return Schedule(self.cut_layer.index, owner, self.subchannel_power_w)


def cut_reference(instance: Instance, cut_layer: int) -> CutReference:
    """Name a cut layer of `instance`."""
    return CutReference(index=cut_layer, name=instance.model.cut_layers[cut_layer].name)


def owners(schedule: Schedule) -> tuple[int | None, ...]:
    """Return the client index of each subchannel, None where it is free."""
    return tuple(None if i == FREE else int(i) for i in schedule.subchannel_client)


def stages(latency: RoundStages) -> Stages:
    """Write the stage latencies down; those of models only where models are exchanged."""
    found: dict[str, Any] = {field: getattr(latency, field, None) for field in Stages.model_fields}
    if latency.model_upload_s is NO_MODELS:
        found |= {"model_upload_s": None, "model_broadcast_s": None}
    return Stages(**found)


def rates(instance: Instance, schedule: Schedule) -> Rates:
    """Write the rates down that a schedule gives."""
    return Rates(
        uplink_bps=uplink_rates_bps(instance, schedule),
        downlink_bps=downlink_rates_bps(instance, schedule),
        broadcast_bps=broadcast_rate_bps(instance),
    )


def trace_rows(trace: Iterable[TracePoint]) -> list[list[float | None]]:
    """Write incumbent and bound over time down: rows of elapsed_s, latency_s, bound_s, null where there was none."""
    return [[point.elapsed_s, point.latency_s, _finite(point.bound_s)] for point in trace]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def made_for(document: ScheduleDocument, instance: Instance) -> Instance | None:
    """Return the instance with the schedule's training parameters; None if the schedule is not for that either."""
    try:
        training = {
            "batch_size": document.batch_size,
            "aggregation_ratio": document.aggregation_ratio,
            "framework": document.framework,
            "average_every": document.average_every,
        }
        found = instance.replace(training=instance.training.model_copy(update=training))
    except ValidationError:
        return None
    return found if document.is_for(found) else None


def refuse_foreign(document: ScheduleDocument, instance: Instance, source: str, remedy: str = "") -> None:
    """Raise if a schedule is for another instance.

    Parameters
    ----------
    source
        What was read, for the message.
    remedy
        How to get a schedule that fits, if the instances differ in more than their training parameters.

    Raises
    ------
    InputError
        Naming `source`, and the training parameters if only these differ, both instances otherwise.
    """
    if document.is_for(instance):
        return
    ours, theirs = instance.training, document.instance
    if made_for(document, instance) is not None:
        problem = f"is for {training_words(document)}, not {training_words(ours)}"
    else:
        found, asked = f"{theirs.name!r} ({theirs.sha256[:12]}…)", f"{instance.name!r} ({instance.sha256[:12]}…)"
        problem = f"is for another instance: {found}, not {asked}{remedy and f'; {remedy}'}"
    raise InputError(source, problem, "instance.sha256")


def training_words(training: Training | ScheduleDocument) -> str:
    """Return the training parameters in words."""
    told = f"batch size {training.batch_size} and phi {training.aggregation_ratio:g}"
    if training.framework is not None:
        told = f"batch size {training.batch_size} and the framework {training.framework}"
    return told if training.average_every is None else f"{told}, models averaged every {training.average_every} rounds"


def check_document(instance: Instance, document: ScheduleDocument) -> list[Violation]:
    """Check a schedule file against its instance: the constraints, then every number it claims.

    The caller makes sure that the document is for `instance` (`document.instance.sha256`). A document without a
    schedule has nothing to check.
    """
    schedule = document.schedule()
    if schedule is None:
        return []
    violations = check(instance, schedule)
    return violations or _check_claims(instance, document, schedule)


def _check_claims(instance: Instance, document: ScheduleDocument, schedule: Schedule) -> list[Violation]:
    found, latency = _check_names(instance, document), instance_round(instance, schedule)
    for part, recomputed in (("stages", stages(latency)), ("rates", rates(instance, schedule))):
        claimed = getattr(document, part)
        for field in type(recomputed).model_fields:
            if getattr(claimed, field) is None and getattr(recomputed, field) is None:
                continue
            found += _compare(f"{part}.{field}", getattr(claimed, field), getattr(recomputed, field))
    found += _compare("latency_s", document.latency_s, latency.round_latency_s)
    found += _compare("batch_size", document.batch_size, instance.training.batch_size)
    found += _compare("aggregation_ratio", document.aggregation_ratio, instance.training.aggregation_ratio)
    ours = instance.training
    if (document.framework, document.average_every) != (ours.framework, ours.average_every):
        told = f"{training_words(document)}, not {training_words(ours)}"
        found.append(Violation("round is the instance's", told, 1, "framework", 0))
    if document.bound_s is not None:
        found += check_bound(document.bound_s, latency.round_latency_s)
        gap = relative_gap(latency.round_latency_s, document.bound_s)
        found += _compare("gap", document.gap, gap)
    elif document.gap is not None:
        found.append(Violation("gap needs a bound", "gap", document.gap, "", 0))
    rel_gap = document.provenance.get("rel_gap")
    asked = rel_gap if isinstance(rel_gap, int | float) else math.inf
    return found + check_proof(document.stop_reason, document.gap, asked)


def _check_names(instance: Instance, document: ScheduleDocument) -> list[Violation]:
    """Names that repeat what the digest and the index say."""
    found = []
    if (claimed := document.instance.name) != instance.name:
        found.append(
            Violation("name is the instance's", f"instance.name is {claimed!r}, not {instance.name!r}", 1, "name", 0)
        )
    cut = document.cut_layer
    if cut is not None and cut.name != (name := instance.model.cut_layers[cut.index].name):
        found.append(
            Violation("name is the cut layer's", f"cut_layer.name is {cut.name!r}, not {name!r}", 1, "name", 0)
        )
    return found


def _compare(field: str, claimed: object, recomputed: object) -> list[Violation]:
    """Compare a claimed number or list of numbers with its recomputation, entry by entry."""
    unit = "bit/s" if field.endswith("_bps") else "s" if field.endswith("_s") else ""
    if not isinstance(claimed, np.ndarray) or not isinstance(recomputed, np.ndarray):
        return check_claim(field, _number(claimed), _number(recomputed), unit)
    if len(claimed) != len(recomputed):
        excess = len(claimed) - len(recomputed)
        return [Violation("one entry per client", field, excess, "entries", 0)]
    pairs = enumerate(zip(claimed.tolist(), recomputed.tolist(), strict=True))
    return [v for i, (mine, ours) in pairs for v in check_claim(f"{field}[{i}]", mine, ours, unit)]


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else math.nan
