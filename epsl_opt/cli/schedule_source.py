"""A schedule file, with its instance where somebody gives it, for the commands that look at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from epsl_opt.core.instance import Instance
    from epsl_opt.core.marginal_values import MarginalValues
    from epsl_opt.files.breakdown import Breakdown
    from epsl_opt.files.documents import ScheduleDocument


def load_breakdown(
    schedule: str, instance: str | None, change: Callable[[Instance], Instance] | None = None
) -> Breakdown:
    """Read a schedule file; the instance, with changes if any, is only needed for its clients' names.

    Raises
    ------
    InputError
        If a file is wrong, the schedule is for another instance, or there is none in it.
    """
    from epsl_opt.core.errors import found_in
    from epsl_opt.core.reading import source_name
    from epsl_opt.files.breakdown import Breakdown
    from epsl_opt.files.json_files import read_schedule
    from epsl_opt.problems.sources import load_instance

    problem = None if instance is None else load_instance(instance)
    if problem is not None and change is not None:
        problem = change(problem)
    document = read_schedule(schedule, instance=problem)
    names = None if problem is None else [client.name for client in problem.clients]
    with found_in(source_name(schedule)):
        return Breakdown(document, names)


def marginal_values(document: ScheduleDocument) -> MarginalValues | None:
    """Return what the solver told of the worth of resources, None if it did not.

    Raises
    ------
    InputError
        If it is malformed.
    """
    from epsl_opt.core.errors import SCHEDULE
    from epsl_opt.core.json_record import parse_fields
    from epsl_opt.core.marginal_values import MarginalValues

    found = document.provenance.get("marginal_values")
    return None if found is None else parse_fields(MarginalValues, found, SCHEDULE, "provenance.marginal_values")
