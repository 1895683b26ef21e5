"""The plan: which way to train reaches the target accuracy soonest on an instance, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from epsl_opt.campaigns.engines import Engine, ThisProcess
from epsl_opt.campaigns.training_campaign import TrainingObserver
from epsl_opt.core.defaults import DEFAULT_PLAN_GAP, DEFAULT_REL_GAP, DEFAULT_TIME_LIMIT_S
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.plan_document import PlanDocument
from epsl_opt.planning.drafting import Asked, draft_plan
from epsl_opt.planning.latency import PointLatency, Pricing
from epsl_opt.planning.pilots import PilotFolder, Pilots
from epsl_opt.planning.point import Point
from epsl_opt.planning.race import Race
from epsl_opt.planning.spread import RoundsInterval, Spread
from epsl_opt.planning.standing import Standing
from epsl_opt.planning.verdict import Verdict
from epsl_opt.training.request import FittedInstance, TrainingRequest

LIMITS = Limits(time_s=DEFAULT_TIME_LIMIT_S, rel_gap=DEFAULT_PLAN_GAP)
"""Of each solve: rounds to target are known far less sharply. The winner is solved again, to the usual gap."""

PILOTS = "pilots"
"""In the folder of a plan."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What to train, and what is certain of it.

    Parameters
    ----------
    document
        The plan file: every point with its bounds, intervals and fate, the winner, the certificate.
    instance, schedule
        The winner's, ready for training; None without a winner.
    """

    document: PlanDocument
    instance: Instance | None
    schedule: ScheduleDocument | None

    @property
    def certificate(self) -> str:
        """What is certain, in words."""
        return self.document.certificate


def plan_with_pilots(
    fitted: FittedInstance,
    points: Sequence[Point],
    seeds: Sequence[int],
    *,
    folder: Path | None = None,
    limits: Limits = LIMITS,
    engine: Engine | None = None,
    observer: TrainingObserver | None = None,
    stop_request: StopRequest | None = None,
) -> Plan:
    """Plan by pilot trainings.

    Parameters
    ----------
    fitted
        The instance, and what is trained, but for what points decide; its goal holds the target accuracy and the
        horizon.
    folder
        Of the plan, which keeps pilots to go on from; nothing is kept if None.

    Raises
    ------
    PilotsInterrupted
        If the user stops it; the same call goes on.
    InputError
        If anything asked for does not work.
    EngineError
        If what trains has gone.
    """
    base = fitted.request
    if base.goal.target_accuracy is None:
        raise InputError("--target", "is missing: the test accuracy to reach, as a fraction")
    latencies = priced(fitted.instance, base, points, limits)
    standings = [Standing(point, latency) for point, latency in latencies.items()]
    race = Race(standings, seeds, base.goal.rounds)
    with PilotFolder(None if folder is None else folder / PILOTS) as kept:
        stop = stop_request or StopRequest()
        race.run(Pilots(base, fitted, latencies, kept.path, engine or ThisProcess(), observer, stop).advance)
    asked = Asked(fitted.instance, base, tuple(seeds), folder)
    return _finish(standings, race.spread(), asked, limits)


def plan_from_table(
    instance: Instance, table: Mapping[Point, RoundsInterval], base: TrainingRequest | None, limits: Limits = LIMITS
) -> Plan:
    """Plan by rounds to target that are known already; the grid is what the table holds.

    Raises
    ------
    InputError
        If the instance has no such cut layer, or there is no schedule.
    """
    latencies = priced(instance, base, list(table), limits)
    standings = [Standing(point, latency, given=table[point]) for point, latency in latencies.items()]
    return _finish(standings, Spread(), Asked(instance, base, (), None), limits)


def priced(
    instance: Instance, base: TrainingRequest | None, points: Sequence[Point], limits: Limits
) -> dict[Point, PointLatency]:
    """Return what is certain of the rounds of each point; what points share is solved once.

    Raises
    ------
    InputError
        If there is no point, no such cut layer, or no schedule.
    """
    if not points:
        raise InputError("plan", "the grid has no point")
    pricing = Pricing(instance.replace(training=instance.training.model_copy(update={"min_cut_layer": None})), limits)
    return {point: pricing.price(point, _clock(base, point)) for point in points}


def _clock(base: TrainingRequest | None, point: Point) -> Framework:
    return point.framework if base is None else base.backend.clock(point.framework, base.options)


def _finish(standings: Sequence[Standing], spread: Spread, asked: Asked, limits: Limits) -> Plan:
    """Solve the winner again, to the usual gap, and write everything down."""
    verdict = Verdict.of(standings, spread)
    winner = verdict.winner
    if winner is None:
        return Plan(draft_plan(verdict, asked), None, None)
    sharper = replace(limits, rel_gap=min(limits.rel_gap, DEFAULT_REL_GAP))
    winner.latency = winner.latency.sharpened(priced(asked.instance, asked.base, [winner.point], sharper)[winner.point])
    verdict = Verdict.of(standings, spread)
    return Plan(draft_plan(verdict, asked), winner.latency.instance, winner.latency.document)
