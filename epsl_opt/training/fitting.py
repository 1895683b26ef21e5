"""Which task a schedule is for, where nobody says."""

from __future__ import annotations

from dataclasses import replace

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.files.documents import ScheduleDocument, made_for
from epsl_opt.training.request import FittedInstance, TrainingRequest


def fit_for_schedule(request: TrainingRequest, instance: Instance, document: ScheduleDocument) -> FittedInstance:
    """Make an instance fit for the task that a schedule is for.

    Returns
    -------
    FittedInstance
        With the request's own task if the schedule is for its network, or else with the first of the backend's bundled
        tasks of which that is so. Where it is for none of them, with the first task that trains the instance's own
        network, or else with the request's.

    Raises
    ------
    InputError
        As `TrainingRequest.fit` does for the request's own task, if no other one goes with the instance.
    """
    found: list[FittedInstance] = []
    wrong: list[InputError] = []
    for task in dict.fromkeys((request.task, *request.backend.bundled_tasks())):
        try:
            fitted = replace(request, task=task).fit(instance)
        except InputError as error:
            wrong.append(error)
            continue
        if made_for(document, fitted.instance) is not None:
            return fitted
        found.append(fitted)
    if not found:
        raise wrong[0]
    return next((fitted for fitted in found if not fitted.replaced), found[0])
