"""A schedule's decisions, timed anew for other training parameters of the same instance."""

from __future__ import annotations

from epsl_opt.core.checker import Violation, check
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.core.schedule import Schedule
from epsl_opt.files.documents import InstanceReference, ScheduleDocument, check_document, made_for, rates, stages


def retimed(document: ScheduleDocument, instance: Instance) -> ScheduleDocument | None:
    """Return the subchannels, powers and cut layer of a schedule as a schedule for `instance`.

    What is decided can be asked of another batch size, aggregation ratio and framework; how long a round takes is
    computed for them, and no bound is taken over.

    Returns
    -------
    ScheduleDocument or None
        Rejected if the schedule is not what it claims for the instance that it was made for, or keeps no constraint of
        this one. None if there is no schedule, or if it is for an instance that differs in more than batch size,
        aggregation ratio, framework and averaging.
    """
    source, schedule = made_for(document, instance), document.schedule()
    if source is None or schedule is None:
        return None
    violations = check_document(source, document) or check(instance, schedule)
    timed = _rejected(violations) if violations else _timed(instance, schedule)
    fields = {name: getattr(document, name) for name in ScheduleDocument.model_fields}
    return ScheduleDocument(
        **fields
        | {
            "instance": InstanceReference(name=instance.name, sha256=instance.sha256),
            "stop_reason": StopReason.COMPLETED,
            "batch_size": instance.training.batch_size,
            "aggregation_ratio": instance.training.aggregation_ratio,
            "framework": instance.training.framework,
            "average_every": instance.training.average_every,
            "bound_s": None,
            "gap": None,
        }
        | timed
    )


def _timed(instance: Instance, schedule: Schedule) -> dict[str, object]:
    latency = instance_round(instance, schedule)
    return {
        "latency_s": latency.round_latency_s,
        "stages": stages(latency),
        "rates": rates(instance, schedule),
        "provenance": {"message": "decisions of a schedule for other training parameters"},
    }


def _rejected(violations: list[Violation]) -> dict[str, object]:
    nothing = ("cut_layer", "subchannel_client", "subchannel_power_w", "latency_s", "stages", "rates")
    told = [str(violation) for violation in violations]
    provenance = {"message": told[0], "violations": told}
    return dict.fromkeys(nothing) | {"status": SolutionStatus.REJECTED, "provenance": provenance}
