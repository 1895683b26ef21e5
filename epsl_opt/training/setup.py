"""A training with all that it needs: what is asked for, a fitted instance, and the schedule of its rounds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property

from epsl_opt.core.distribution import version
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.round_timing import RoundTiming, round_timing
from epsl_opt.core.stage_times import StageTimes
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.stored_record import key_of
from epsl_opt.files.training_document import PlanReference, schedule_sha256
from epsl_opt.plugins.backend import TrainingPlan
from epsl_opt.plugins.registry import BACKENDS, plugin_version
from epsl_opt.training.request import FittedInstance, TrainingRequest


@dataclass(frozen=True, eq=False)
class TrainingSetup:
    """All that a training needs.

    Parameters
    ----------
    fitted
        The instance, and what is asked for.
    document
        The schedule to train under.
    source
        Where the schedule is from, for messages.
    """

    fitted: FittedInstance
    document: ScheduleDocument
    source: str = "schedule"

    @property
    def request(self) -> TrainingRequest:
        """What is asked for."""
        return self.fitted.request

    @cached_property
    def plan(self) -> TrainingPlan:
        """What the backend gets.

        Raises
        ------
        InputError
            If the document holds no schedule, or the seed is out of its range.
        """
        document, request, schedule = self.document, self.request, self.document.schedule()
        if schedule is None:
            problem = f"holds no schedule ({document.status}, {document.stop_reason})"
            raise InputError(self.source, problem, "status")
        instance = self.fitted.instance
        return TrainingPlan(instance, schedule, request.framework, request.task, request.seed, request.average_every)

    @cached_property
    def clock(self) -> Framework:
        """The framework whose round latency applies."""
        return self.request.backend.clock(self.request.framework, self.request.options)

    @cached_property
    def timing(self) -> RoundTiming:
        """How long rounds take by this clock.

        Raises
        ------
        InputError
            If a round would never end: a client without a rate is to send.
        """
        plan = self.plan
        found = round_timing(plan.instance, plan.schedule, self.clock, plan.average_every)
        if not math.isfinite(found.mean.round_latency_s):
            problem = f"a round of {self.clock} never ends under it: a client has no rate to send with"
            raise InputError("schedule", problem)
        return found

    @property
    def stages(self) -> StageTimes:
        """Stage times of a round by this clock, the mean where rounds differ; raises as `timing`."""
        return self.timing.mean

    @cached_property
    def reference(self) -> PlanReference:
        """All that decides what is learned."""
        plan, request = self.plan, self.request
        return PlanReference(
            instance_sha256=plan.instance.sha256,
            batch_size=plan.instance.training.batch_size,
            aggregation_ratio=plan.instance.training.aggregation_ratio,
            cut_layer=plan.schedule.cut_layer,
            schedule_sha256=schedule_sha256(plan.schedule),
            framework=plan.framework,
            task=plan.task,
            seed=plan.seed,
            backend=request.backend.name,
            options=request.options.model_dump(mode="json"),
            average_every=plan.average_every,
        )

    @property
    def learning_key(self) -> str:
        """SHA-256 of all that decides what is learned and when it ends.

        That is everything but subchannels and powers, which decide how long a round takes and nothing else: setups with
        equal keys share one training, each timed by its own schedule.
        """
        plan = self.reference.model_dump(mode="json", exclude={"schedule_sha256"})
        if plan["average_every"] is None:  # which keys had no part for, and still have none
            del plan["average_every"]
        # Whose round the schedule minimises decides nothing that is learned.
        plan["instance_sha256"] = self.plan.instance.with_training(framework=Framework.EPSL).sha256
        kind = type(self.request.backend)
        code = {"class": f"{kind.__module__}.{kind.__qualname__}", "version": version()}
        strangers = plugin_version(BACKENDS, self.request.backend.name)
        if strangers not in (None, version()):
            code["plugin"] = strangers
        return key_of({"plan": plan, "goal": asdict(self.request.goal), "code": code})

    @property
    def method(self) -> str:
        """The framework, with EPSL's aggregation ratio and how often models are averaged, as people write it."""
        ratio = self.plan.instance.training.aggregation_ratio
        return method_name(self.plan.framework.value, ratio, self.plan.average_every)


def method_name(framework: str, aggregation_ratio: float, average_every: int | None = None) -> str:
    """Return a framework as people write it, as `epsl(0.5)` or `epsl(0.5, I=5)`."""
    ratio = [f"{aggregation_ratio:g}"] if framework == Framework.EPSL else []
    averaging = [] if average_every is None else [f"I={average_every}"]
    return f"{framework}({', '.join(ratio + averaging)})" if ratio or averaging else framework
