"""A schedule file, with its instance where somebody gives it, for the commands that look at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from epsl_opt.breakdown import Breakdown


def load_breakdown(schedule: str, instance: str | None) -> Breakdown:
    """Read a schedule file; the instance is only needed for its clients' names.

    Raises
    ------
    InputError
        If a file is wrong, the schedule is for another instance, or there is none in it.
    """
    from epsl_opt.breakdown import Breakdown
    from epsl_opt.errors import InputError
    from epsl_opt.files import read_schedule, source_name
    from epsl_opt.sources import load_instance

    problem = None if instance is None else load_instance(instance)
    document = read_schedule(schedule, instance=problem)
    names = None if problem is None else [client.name for client in problem.clients]
    try:
        return Breakdown(document, names)
    except InputError as error:
        raise InputError(source_name(schedule), error.problem, error.field) from error
