"""Rounds of EPSL, PSL, SFL and vanilla SL on one instance, each with resources managed for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import round_latency
from epsl_opt.core.schedule import Schedule
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.power_control import best_schedule

OTHERS = ("PSL", "SFL", "SL")
FRAMEWORKS = ("EPSL", *OTHERS)

SETTING = (
    "Frameworks: EPSL and PSL (phi = 0) are optimised apart. SFL has the better of PSL's subchannels and those that "
    "are optimal when the client-side model is sent along with the smashed data, at the cut layer best for it. "
    "Vanilla SL has its best cut layer; a client whose turn it is holds all subchannels."
)
LIMIT = (
    "By the model SFL's round is never shorter than PSL's: only by how much is a finding. SFL's schedule is good, not "
    "optimal. A round is not a unit of learning: what it is worth in accuracy is another study's question."
)

BROADCAST = "all wait for the broadcast, whose rate is the weakest client's; PSL has no such barrier"
"""Why EPSL's round may be longer than PSL's although it sends and computes less."""

Planner = Callable[[Instance], Schedule]


def framework_rounds_s(instance: Instance, plan: Planner) -> dict[str, float]:
    """Return the round latency in seconds of each framework.

    Parameters
    ----------
    instance
        As EPSL sees it.
    plan
        Finds a schedule for EPSL and, with phi = 0, for PSL and SFL.
    """
    plain = instance.with_training(aggregation_ratio=0.0)
    psl = plan(plain)
    return {
        "EPSL": round_latency(instance, plan(instance)).round_latency_s,
        "PSL": _round_s(instance, psl, Framework.PSL),
        "SFL": _split_fed_round_s(plain, psl, plan),
        "SL": _vanilla_round_s(plain, psl),
    }


def with_model_upload(instance: Instance) -> Instance:
    """Return the instance in which each sample carries its part of the client-side model to the server.

    SFL's phases of smashed data and of models, each as long as its slowest client, together take at least as long as
    the uplink phase here.
    """
    batch = instance.training.batch_size
    cuts = tuple(
        cut.model_copy(update={"activation_bits": cut.activation_bits + cut.client_parameter_bits / batch})
        for cut in instance.model.cut_layers
    )
    return instance.replace(model=instance.model.model_copy(update={"cut_layers": cuts}))


def _split_fed_round_s(plain: Instance, psl: Schedule, plan: Planner) -> float:
    loaded = with_model_upload(plain)
    found = [psl, plan(loaded)]
    for given in tuple(found):
        found += [schedule for each in (plain, loaded) for schedule in _at_every_cut(each, given)]
    return min(_round_s(plain, schedule, Framework.SFL) for schedule in found)


def _at_every_cut(instance: Instance, given: Schedule) -> Iterator[Schedule]:
    """Yield the schedules with the given subchannels and the best power, one per cut layer that has any."""
    for cut, costs in feasible_cuts(instance).items():
        if (schedule := best_schedule(instance, costs, cut, given.subchannel_client)) is not None:
            yield schedule


def _vanilla_round_s(plain: Instance, given: Schedule) -> float:
    at_cuts = [Schedule(cut, given.subchannel_client, given.subchannel_power_w) for cut in feasible_cuts(plain)]
    return min(_round_s(plain, each, Framework.SL) for each in at_cuts)


def _round_s(instance: Instance, schedule: Schedule, framework: Framework) -> float:
    return framework_round(instance, schedule, framework).stage_times.round_latency_s
