"""A schedule at the cut layer where a framework's own round is quickest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from epsl_opt.core.defaults import DEFAULT_SOLVER
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.solving.solve import solve


def solve_at_quickest_cut(
    instance: Instance, clock: Framework, limits: Limits, cut_layers: Sequence[str] | None = None
) -> tuple[Instance, ScheduleDocument]:
    """Return the instance with the one cut layer at which a round of `clock` is quickest, and the schedule there.

    At each cut layer, subchannels and powers are those that the default solver finds for (E)PSL. Where there is no
    schedule at any, the document holds none.

    Parameters
    ----------
    cut_layers
        To choose from; all if None.

    Raises
    ------
    InputError
        If there is no such cut layer.
    """
    names = [cut.name for cut in instance.model.cut_layers] if cut_layers is None else cut_layers
    found = [_solved(instance.with_cut_layers([name]), clock, limits) for name in names]
    _, at_cut, document = min(found, key=lambda option: option[0])
    return at_cut, document


def _solved(instance: Instance, clock: Framework, limits: Limits) -> tuple[float, Instance, ScheduleDocument]:
    document = ScheduleDocument.from_result(instance, solve(instance, DEFAULT_SOLVER, limits))
    schedule = document.schedule()
    latency_s = math.inf if schedule is None else framework_round(instance, schedule, clock).stage_times.round_latency_s
    return latency_s, instance, document
