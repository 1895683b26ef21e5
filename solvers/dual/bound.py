"""A certified lower bound as a library function, without a search for schedules."""

from __future__ import annotations

import math
from collections.abc import Callable

from epsl_opt.core.errors import InputError
from epsl_opt.core.feasibility import infeasibility
from epsl_opt.core.instance import Instance
from epsl_opt.solvers.blas_threads import fitting_blas_threads
from epsl_opt.solvers.dual.cut_bounds import ACCURACY, CutBounds


def lower_bound_s(
    instance: Instance,
    *,
    rel_gap: float = ACCURACY,
    stop: Callable[[], bool] = lambda: False,
) -> float:
    """Return a proved lower bound in seconds on the round latency of every schedule.

    Cut layers are bounded by the Lagrangian dual, the least first, until the least of all is fully refined.

    Parameters
    ----------
    instance
        Any instance that has a schedule.
    rel_gap
        How accurately each relaxation is solved.
    stop
        Asked now and then whether time is up; the bound until then is returned.

    Raises
    ------
    InputError
        If the instance has no schedule.
    """
    if reason := infeasibility(instance):
        raise InputError(instance.name, reason)
    with fitting_blas_threads(instance.n_clients * instance.n_subchannels):
        bounds = CutBounds(instance)
        while not stop():
            cut = bounds.open_cuts(math.inf)[0]
            if cut in bounds.solution:
                break
            bounds.refine(cut, rel_gap=rel_gap, stop=stop)
    return bounds.least_s
