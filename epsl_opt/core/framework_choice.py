"""An instance about the round of another framework, as users ask for it."""

from __future__ import annotations

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance


def choose_framework(
    instance: Instance,
    framework: Framework | None = None,
    average_every: int | None = None,
    *,
    aggregation_ratio: float | None = None,
    batch_size: int | None = None,
) -> Instance:
    """Return the instance about this framework's round, with these training parameters; None leaves what it has.

    Raises
    ------
    InputError
        If an aggregation ratio is given for another framework than EPSL, models can't be averaged as asked for, or a
        value is out of its range.
    """
    meant = framework or instance.training.framework or Framework.EPSL
    if aggregation_ratio is not None and meant is not Framework.EPSL:
        raise InputError("--phi", f"is for the framework epsl only, {meant} aggregates nothing")
    check_averaging(meant, average_every)
    try:
        return instance.with_training(
            batch_size=batch_size,
            aggregation_ratio=aggregation_ratio,
            framework=framework,
            average_every=average_every,
        )
    except ValidationError as error:
        raise InputError.from_validation("training", error) from error


def check_averaging(framework: Framework, average_every: int | None) -> None:
    """Raise unless a framework can average its client-side models every so many rounds; None is never.

    Raises
    ------
    InputError
        If it averages every round by itself, or has no models to average, or the number is below 1.
    """
    if average_every is None:
        return
    if not framework.averages_on_request:
        problem = f"is for the frameworks epsl and psl, not {framework}; sfl is psl averaged every round"
        raise InputError("--average-every", problem)
    if average_every < 1:
        raise InputError("--average-every", f"must be at least 1, got {average_every}")
