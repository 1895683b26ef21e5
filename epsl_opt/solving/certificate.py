"""A certified bound beside heuristics, which prove none: how good a schedule is, whoever found it."""

from __future__ import annotations

import math
import time

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance
from epsl_opt.solvers.dual.bound import lower_bound_s

SHARE = 0.1
"""Of the solver's time limit, for the bound."""

MOST_S = 10.0
ACCURACY = 1e-4
"""How accurately the relaxation is solved: its own gap is larger than that."""


def bound_beside_s(instance: Instance, time_limit_s: float) -> float | None:
    """Return a lower bound in seconds on the round latency of every schedule; None if there is none to be had.

    The Lagrangian dual gets `SHARE` of the time limit, `MOST_S` at the most; a bound that is not finished by then is
    a bound nonetheless.

    Parameters
    ----------
    instance
        Any.
    time_limit_s
        What the solver had.
    """
    end_s = time.perf_counter() + min(SHARE * time_limit_s, MOST_S)
    try:
        bound = lower_bound_s(instance, rel_gap=ACCURACY, stop=lambda: time.perf_counter() > end_s)
    except InputError:  # there is no schedule
        return None
    return bound if math.isfinite(bound) and bound > 0 else None
