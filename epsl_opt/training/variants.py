"""The trainings of a campaign: one per framework and ratio, instance, schedule and seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.options import unknown
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.training.request import FittedInstance, TrainingRequest, backend_options
from epsl_opt.training.setup import TrainingSetup

FOR_ALL = "train"
"""Owner of the options of every framework; `train.FRAMEWORK` owns those of one."""


def variants(
    base: TrainingRequest,
    frameworks: Sequence[Framework],
    ratios: Sequence[float] | None,
    options: Mapping[str, Mapping[str, str]],
) -> list[TrainingRequest]:
    """Return what is asked for once per framework, for EPSL once per aggregation ratio.

    Where models are to be averaged every so many rounds, they are in the frameworks that can.

    Parameters
    ----------
    options
        `train` -> options of every framework, `train.FRAMEWORK` -> options of one, which win.

    Raises
    ------
    InputError
        If an option is wrong, or given for a framework that is not trained, or there are ratios but no EPSL, or
        models to be averaged but none of the frameworks for that.
    """
    owners = [FOR_ALL, *(f"{FOR_ALL}.{framework}" for framework in frameworks)]
    for owner in options:
        if owner not in owners:
            raise InputError("option", unknown(owner, owners))
    if ratios is not None and Framework.EPSL not in frameworks:
        raise InputError("--phi", "is for the framework epsl, which is not among --frameworks")
    if base.average_every is not None and not any(framework.averages_on_request for framework in frameworks):
        raise InputError("--average-every", "is for the frameworks epsl and psl, none of which is among --frameworks")
    found = []
    for framework in dict.fromkeys(frameworks):
        given = [options.get(FOR_ALL, {}), options.get(f"{FOR_ALL}.{framework}", {})]
        merged = {key.replace("-", "_"): value for part in given for key, value in part.items()}
        averaging = base.average_every if framework.averages_on_request else None
        made = backend_options(base.backend, merged)
        one = replace(base, framework=framework, average_every=averaging, options=made)
        own = dict.fromkeys(ratios) if framework is Framework.EPSL and ratios is not None else (None,)
        found += [replace(one, aggregation_ratio=ratio) for ratio in own]
    return found


def make_setups(
    fitted: Sequence[FittedInstance], documents: Sequence[ScheduleDocument], seeds: Sequence[int]
) -> Iterator[TrainingSetup]:
    """Yield a training per fitted instance, schedule for it, and seed."""
    for each in fitted:
        for document in documents:
            if document.schedule() is None or not document.is_for(each.instance):
                continue
            for seed in seeds:
                yield TrainingSetup(replace(each, request=replace(each.request, seed=seed)), document)
