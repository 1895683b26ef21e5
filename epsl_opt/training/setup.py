"""What a training needs before it starts: an instance for its framework and network, options, a schedule for both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import parse_options
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.plugins.backend import TrainingBackend, TrainingOptions, TrainingPlan
from epsl_opt.plugins.registry import load_backend


def ready_backend(name: str) -> TrainingBackend[Any]:
    """Return a training backend that can train here.

    Raises
    ------
    InputError
        If there is no such backend, or something must be installed first, naming what.
    """
    backend = load_backend(name)
    if missing := backend.missing():
        raise InputError(f"backend {name}", missing)
    return backend


def parse_training_options(backend: TrainingBackend[Any], options: Mapping[str, Any]) -> TrainingOptions:
    """Validate a backend's options.

    Raises
    ------
    InputError
        Naming the option and what is wrong.
    """
    parsed: TrainingOptions = parse_options(backend.options_type, options, f"backend {backend.name}")
    return parsed


def instance_for(
    instance: Instance, framework: Framework, aggregation_ratio: float | None = None, batch_size: int | None = None
) -> Instance:
    """Return the instance with the training parameters asked for; only EPSL aggregates.

    Raises
    ------
    InputError
        If an aggregation ratio is given for another framework, or a value is out of its range.
    """
    if framework is not Framework.EPSL:
        if aggregation_ratio is not None:
            raise InputError("--phi", f"is for the framework epsl only, {framework} aggregates nothing")
        aggregation_ratio = 0.0
    try:
        return instance.with_training(batch_size=batch_size, aggregation_ratio=aggregation_ratio)
    except ValidationError as error:
        raise InputError.from_validation("training", error) from error


def training_plan(
    instance: Instance, document: ScheduleDocument, source: str, framework: Framework, task: str, seed: int
) -> TrainingPlan:
    """Return the plan to train under the schedule of a file, called `source` in messages.

    Raises
    ------
    InputError
        If the file holds no schedule.
    """
    schedule = document.schedule()
    if schedule is None:
        raise InputError(source, f"holds no schedule ({document.status}, {document.stop_reason})", "status")
    return TrainingPlan(instance, schedule, framework, task, seed)


def refuse_foreign_schedule(instance: Instance, document: ScheduleDocument, source: str, *, replaced: bool) -> None:
    """Raise if the schedule is for another instance; `replaced` says whether this one got another model profile.

    Raises
    ------
    InputError
        Saying what differs, and how to make a schedule that fits.
    """
    if document.instance.sha256 != instance.sha256:
        raise InputError(source, _why_foreign(instance, document, replaced=replaced), "instance.sha256")


def _why_foreign(instance: Instance, document: ScheduleDocument, *, replaced: bool) -> str:
    theirs, ours = (document.batch_size, document.aggregation_ratio), instance.training
    if theirs != (ours.batch_size, ours.aggregation_ratio):
        there, here = _parameters(*theirs), _parameters(ours.batch_size, ours.aggregation_ratio)
        return f"is for {there}, this training has {here}"
    if replaced:
        return (
            "is for another instance: this training's has the profile of the network that is trained; "
            "`epsl-opt train` with --solver writes it to DIR/instance.json for `epsl-opt solve`, "
            "and `epsl-opt profile` makes an instance with it"
        )
    return f"is for another instance, {document.instance.name!r} ({document.instance.sha256[:12]}…)"


def _parameters(batch_size: int, aggregation_ratio: float) -> str:
    return f"batch size {batch_size} and phi {aggregation_ratio:g}"
