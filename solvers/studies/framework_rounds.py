"""Rounds of EPSL, PSL, SFL and vanilla SL on one instance, each with resources managed for it."""

from __future__ import annotations

from collections.abc import Callable

from epsl_opt.instance import Instance
from epsl_opt.schedule import Schedule
from epsl_opt.solvers.cuts import feasible_cuts
from epsl_opt.solvers.power_control import best_schedule
from epsl_opt.stage_times import stage_times
from epsl_opt.training import Framework

OTHERS = ("PSL", "SFL", "SL")
FRAMEWORKS = ("EPSL", *OTHERS)

SETTING = (
    "EPSL and PSL (phi = 0) are optimised apart. SFL has PSL's subchannels, with power control and the cut layer that "
    "is best for it. Vanilla SL has the best cut layer; a client whose turn it is holds all subchannels."
)
LIMIT = (
    "By the model EPSL's round is never longer than PSL's under one schedule, nor PSL's than SFL's: only by "
    "how much is a finding. SFL's allocation is made for PSL, which flatters the others. A round is not a unit of "
    "learning: what it is worth in accuracy is another study's question."
)

Planner = Callable[[Instance], Schedule]


def framework_rounds_s(instance: Instance, plan: Planner) -> dict[str, float]:
    """Return the round latency in seconds of each framework.

    Parameters
    ----------
    instance
        As EPSL sees it.
    plan
        Finds a schedule for EPSL and, with phi = 0, for PSL.
    """
    psl = plan(instance.with_training(aggregation_ratio=0.0))
    return {
        "EPSL": _round_s(instance, plan(instance), Framework.EPSL),
        "PSL": _round_s(instance, psl, Framework.PSL),
        "SFL": split_fed_round_s(instance, psl),
        "SL": vanilla_round_s(instance, psl),
    }


def split_fed_round_s(instance: Instance, given: Schedule) -> float:
    """Return SFL's round latency with the given subchannels and its best cut layer, in seconds."""
    cuts = feasible_cuts(instance.with_training(aggregation_ratio=0.0))
    found = [best_schedule(instance, costs, cut, given.subchannel_client) for cut, costs in cuts.items()]
    return min(_round_s(instance, each, Framework.SFL) for each in [given, *found] if each is not None)


def vanilla_round_s(instance: Instance, given: Schedule) -> float:
    """Return vanilla SL's round latency with its best cut layer, in seconds."""
    cuts = feasible_cuts(instance.with_training(aggregation_ratio=0.0))
    at_cuts = [Schedule(cut, given.subchannel_client, given.subchannel_power_w) for cut in cuts]
    return min(_round_s(instance, each, Framework.SL) for each in at_cuts)


def _round_s(instance: Instance, schedule: Schedule, framework: Framework) -> float:
    return stage_times(instance, schedule, framework).round_latency_s
