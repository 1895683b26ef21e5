"""The task a schedule is for, where nobody says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cli_toys import Steady, small_instance
from training_toys import ToyBackend, ToyTrainingOptions

from epsl_opt import InputError, Instance, ScheduleDocument, solve
from epsl_opt.training.fitting import fit_for_schedule
from epsl_opt.training.request import TrainingRequest

NETWORKS = {"plane": "flat", "broken": "crooked", "hill": "steep", "dale": "deep"}


class Country(ToyBackend):
    """Has a network for each task, and one that does not work."""

    def tasks(self) -> dict[str, str]:
        """Name the tasks."""
        return NETWORKS

    def bundled_tasks(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(NETWORKS)

    def fit(self, instance: Instance, task: str, options: ToyTrainingOptions, seed: int = 0) -> Instance:
        """Give the instance the network of the task."""
        if task == "broken":
            raise InputError("task broken", "has lost its files")
        return super().fit(instance, task, options.model_copy(update={"network": NETWORKS[task]}), seed)


REQUEST = TrainingRequest(backend=Country(), options=ToyTrainingOptions(), task="plane")


def instance_of(network: str) -> Instance:
    """Return the small instance with another network."""
    small = small_instance()
    return small.replace(model=small.model.model_copy(update={"name": network}))


def document(instance: Instance) -> ScheduleDocument:
    """Return a schedule for an instance."""
    return ScheduleDocument.from_result(instance, solve(instance, Steady()))


@pytest.mark.parametrize("task", ["plane", "hill", "dale"])
@pytest.mark.parametrize("changed", [{}, {"batch_size": 5}, {"aggregation_ratio": 0.0}])
@pytest.mark.parametrize("source", [*NETWORKS.values(), "strange"])
def test_a_schedule_is_trained_on_the_task_it_is_for(task: str, changed: dict[str, Any], source: str) -> None:
    """Whatever the instance's network, and the batch and ratio that the schedule was made for, its network decides."""
    made = document(instance_of(NETWORKS[task]).with_training(**changed))
    fitted = fit_for_schedule(REQUEST, instance_of(source), made)
    assert fitted.request == replace(REQUEST, task=task)
    assert fitted.instance == instance_of(NETWORKS[task])
    assert fitted.replaced == (source != NETWORKS[task])


@pytest.mark.parametrize(("source", "task"), [("flat", "plane"), ("steep", "hill"), ("strange", "plane")])
def test_a_schedule_for_nothing_known_is_met_with_the_instances_network(source: str, task: str) -> None:
    """Where the schedule is for no task, the task is the one of the instance's network, or else the request's own."""
    stranger = document(small_instance("other"))
    assert fit_for_schedule(REQUEST, instance_of(source), stranger).request.task == task


def test_the_requests_own_task_goes_first() -> None:
    """Of several tasks that a schedule is for, the request's own is taken."""
    request = replace(REQUEST, task="hill", backend=Country())
    assert fit_for_schedule(request, instance_of("flat"), document(instance_of("steep"))).request == request


def test_what_no_task_can_do_is_told_as_for_the_requests_own() -> None:
    """If no task goes with the request, the error is that of the request's own task."""
    request = replace(REQUEST, min_cut="nowhere")
    with pytest.raises(InputError) as own:
        request.fit(small_instance())
    with pytest.raises(InputError) as found:
        fit_for_schedule(request, small_instance(), document(small_instance()))
    assert str(found.value) == str(own.value)
