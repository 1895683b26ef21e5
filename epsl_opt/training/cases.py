"""What a campaign trains: frameworks under schedules on instances, and which of these learn the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from epsl_opt.core.distribution import version
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import unknown
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.stored_record import key_of
from epsl_opt.plugins.backend import TrainingBackend, TrainingOptions, TrainingPlan
from epsl_opt.plugins.registry import BACKENDS, plugin_version
from epsl_opt.training.run import TrainingGoal, plan_reference
from epsl_opt.training.setup import instance_for, parse_training_options

FOR_ALL = "train"
"""Owner of the options of every framework; `train.FRAMEWORK` owns those of one."""


@dataclass(frozen=True)
class Variant:
    """One way to train: a framework, EPSL's aggregation ratio (None is the instance's), the backend's options."""

    framework: Framework
    aggregation_ratio: float | None
    options: TrainingOptions


@dataclass(frozen=True, eq=False)
class FittedInstance:
    """An instance made fit for a variant: with its aggregation ratio, and the profile of the network it trains."""

    source: Instance
    instance: Instance
    variant: Variant


@dataclass(frozen=True, eq=False)
class TrainingCase:
    """One line of a campaign: a fitted instance under one solver's schedule, with a seed."""

    fitted: FittedInstance
    document: ScheduleDocument
    plan: TrainingPlan

    @property
    def options(self) -> TrainingOptions:
        """The backend's."""
        return self.fitted.variant.options

    @property
    def method(self) -> str:
        """The framework, with EPSL's aggregation ratio, as people write it."""
        return method_name(self.plan.framework.value, self.plan.instance.training.aggregation_ratio)


def method_name(framework: str, aggregation_ratio: float) -> str:
    """Return a framework with EPSL's aggregation ratio, as people write it."""
    return f"epsl({aggregation_ratio:g})" if framework == Framework.EPSL else framework


def make_variants(
    backend: TrainingBackend[Any],
    frameworks: Sequence[Framework],
    ratios: Sequence[float] | None,
    options: Mapping[str, Mapping[str, str]],
) -> list[Variant]:
    """Return the ways to train, each once; EPSL once per aggregation ratio.

    Parameters
    ----------
    options
        `train` -> options of every framework, `train.FRAMEWORK` -> options of one, which win.

    Raises
    ------
    InputError
        If an option is wrong, or given for a framework that is not trained, or there are ratios but no EPSL.
    """
    owners = [FOR_ALL, *(f"{FOR_ALL}.{framework}" for framework in frameworks)]
    for owner in options:
        if owner not in owners:
            raise InputError("option", unknown(owner, owners))
    if ratios is not None and Framework.EPSL not in frameworks:
        raise InputError("--phi", "is for the framework epsl, which is not among --frameworks")
    return [
        Variant(framework, ratio, _options(backend, framework, options))
        for framework in dict.fromkeys(frameworks)
        for ratio in _ratios(framework, ratios)
    ]


def fit_instances(
    backend: TrainingBackend[Any],
    instances: Sequence[Instance],
    variants: Sequence[Variant],
    task: str,
    batch_size: int | None,
) -> list[FittedInstance]:
    """Make every instance fit for every variant.

    Raises
    ------
    InputError
        If there is no such task or network, or a training parameter is out of its range.
    """
    found = []
    for source in instances:
        for variant in variants:
            asked = instance_for(source, variant.framework, variant.aggregation_ratio, batch_size)
            found.append(FittedInstance(source, backend.fit(asked, task, variant.options), variant))
    return found


def make_cases(
    fitted: Sequence[FittedInstance], documents: Sequence[ScheduleDocument], task: str, seeds: Sequence[int]
) -> Iterator[TrainingCase]:
    """Yield one case per fitted instance, verified schedule for it, and seed."""
    for each in fitted:
        for document in documents:
            schedule = document.schedule()
            if schedule is None or document.instance.sha256 != each.instance.sha256:
                continue
            for seed in seeds:
                plan = TrainingPlan(each.instance, schedule, each.variant.framework, task, seed)
                yield TrainingCase(each, document, plan)


def learning_key(case: TrainingCase, backend: TrainingBackend[Any], goal: TrainingGoal) -> str:
    """Return the SHA-256 of all that decides what a case learns.

    That is everything in its plan but subchannels and powers, which decide how long a round takes and nothing else:
    cases with equal keys share one training, each timed by its own schedule.
    """
    plan = plan_reference(case.plan, backend, case.options).model_dump(mode="json", exclude={"schedule_sha256"})
    kind = type(backend)
    code = {"class": f"{kind.__module__}.{kind.__qualname__}", "version": version()}
    strangers = plugin_version(BACKENDS, backend.name)
    if strangers not in (None, version()):
        code["plugin"] = strangers
    return key_of({"plan": plan, "goal": asdict(goal), "code": code})


def _options(
    backend: TrainingBackend[Any], framework: Framework, options: Mapping[str, Mapping[str, str]]
) -> TrainingOptions:
    given = [options.get(FOR_ALL, {}), options.get(f"{FOR_ALL}.{framework}", {})]
    merged = {key.replace("-", "_"): value for part in given for key, value in part.items()}
    return parse_training_options(backend, merged)


def _ratios(framework: Framework, ratios: Sequence[float] | None) -> Sequence[float | None]:
    return tuple(dict.fromkeys(ratios)) if framework is Framework.EPSL and ratios is not None else (None,)
