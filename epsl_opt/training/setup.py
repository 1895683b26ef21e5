"""A training with all that it needs: what is asked for, a fitted instance, and the schedule of its rounds."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cached_property

from epsl_opt.core.distribution import version
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round
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
        return TrainingPlan(self.fitted.instance, schedule, request.framework, request.task, request.seed)

    @cached_property
    def clock(self) -> Framework:
        """The framework whose round latency applies."""
        return self.request.backend.clock(self.request.framework, self.request.options)

    @cached_property
    def stages(self) -> StageTimes:
        """Stage times of a round by this clock.

        Raises
        ------
        InputError
            If the round would never end: a client without a rate is to send.
        """
        found = framework_round(self.plan.instance, self.plan.schedule, self.clock).stage_times
        if not math.isfinite(found.round_latency_s):
            problem = f"a round of {self.clock} never ends under it: a client has no rate to send with"
            raise InputError("schedule", problem)
        return found

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
        )

    @property
    def learning_key(self) -> str:
        """SHA-256 of all that decides what is learned and when it ends.

        That is everything but subchannels and powers, which decide how long a round takes and nothing else: setups with
        equal keys share one training, each timed by its own schedule.
        """
        plan = self.reference.model_dump(mode="json", exclude={"schedule_sha256"})
        kind = type(self.request.backend)
        code = {"class": f"{kind.__module__}.{kind.__qualname__}", "version": version()}
        strangers = plugin_version(BACKENDS, self.request.backend.name)
        if strangers not in (None, version()):
            code["plugin"] = strangers
        return key_of({"plan": plan, "goal": asdict(self.request.goal), "code": code})

    @property
    def method(self) -> str:
        """The framework, with EPSL's aggregation ratio, as people write it."""
        return method_name(self.plan.framework.value, self.plan.instance.training.aggregation_ratio)


def method_name(framework: str, aggregation_ratio: float) -> str:
    """Return a framework with EPSL's aggregation ratio, as people write it."""
    return f"epsl({aggregation_ratio:g})" if framework == Framework.EPSL else framework
