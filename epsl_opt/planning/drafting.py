"""The plan file from what the race came to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.files.documents import InstanceReference
from epsl_opt.files.plan_document import PlanDocument, PlannedPilot, PlannedPoint
from epsl_opt.planning.pilots import given_options
from epsl_opt.planning.spread import ASSUMED_SPREAD
from epsl_opt.planning.standing import Standing
from epsl_opt.planning.verdict import Verdict
from epsl_opt.training.request import TrainingRequest

INSTANCE, SCHEDULE = "instance.json", "schedule.json"
"""The winner's, in the folder of a plan."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What was asked for.

    Parameters
    ----------
    instance
        With the profile of the network that is trained.
    base
        What is trained; None where rounds come from a table alone.
    seeds
        Of the pilots.
    folder
        Of the plan's files, as the command is to name them.
    """

    instance: Instance
    base: TrainingRequest | None
    seeds: tuple[int, ...]
    folder: Path | None


def draft_plan(verdict: Verdict, asked: Asked) -> PlanDocument:
    """Return the plan file."""
    base, winner, spread = asked.base, verdict.winner, verdict.spread
    piloted = any(each.given is None for each in verdict.standings)
    single = None if winner is None or not winner.reached else spread.single(winner.reached)
    return PlanDocument(
        instance=InstanceReference(name=asked.instance.name, sha256=asked.instance.sha256),
        task=None if base is None else base.task,
        backend=None if base is None else base.backend.name,
        options=None if base is None else _written(given_options(base)),
        target_accuracy=None if base is None else base.goal.target_accuracy,
        rounds_from="pilots" if piloted else "table",
        level=spread.level,
        spread=spread.log_sd,
        assumed_spread=ASSUMED_SPREAD,
        seeds=asked.seeds,
        horizon=base.goal.rounds if base is not None and piloted else None,
        pilot_rounds=sum(each.rounds for each in verdict.standings),
        winner=None if winner is None else list(verdict.standings).index(winner),
        least_s=_finite(verdict.least_s),
        most_s=_finite(verdict.most_s),
        single_low_s=None if winner is None or single is None else winner.latency.least_s(single[0]),
        single_high_s=None if winner is None or single is None else winner.latency.most_s(single[1]),
        certificate=verdict.certificate(),
        command=() if winner is None else training_command(winner, asked),
        points=tuple(_point(each, verdict) for each in verdict.standings),
    )


def training_command(winner: Standing, asked: Asked) -> tuple[str, ...]:
    """Return the command that trains the winner, with the seed whose pilot took the most typical number of rounds."""
    point, base, folder = winner.point, asked.base, asked.folder or Path()
    words = ["epsl-opt", "train", str(folder / INSTANCE), "--schedule", str(folder / SCHEDULE)]
    words += ["--framework", point.framework.value]
    if point.framework is Framework.EPSL:
        words += ["--phi", f"{point.aggregation_ratio!r}"]
    words += ["--batch-size", str(point.batch_size)]
    if point.average_every is not None:
        words += ["--average-every", str(point.average_every)]
    options = {} if base is None else _written(given_options(base))
    if point.learning_rate is not None:
        options["lr"] = point.learning_rate
    for name, value in options.items():
        words += ["--option", f"{name.replace('_', '-')}={value}"]
    if base is not None:
        words += ["--task", base.task, "--backend", base.backend.name]
        words += ["--target-accuracy", f"{base.goal.target_accuracy!r}", "--evaluate-every", "1"]
        words += ["--rounds", str(base.goal.rounds)]
    return (*words, "--seed", str(typical_seed(winner)))


def typical_seed(winner: Standing) -> int:
    """Return the seed whose pilot reached the target after the rounds nearest to the typical number."""
    reached = {seed: pilot.reached for seed, pilot in winner.pilots.items() if pilot.reached is not None}
    if not reached:
        return 0
    middle = sum(map(math.log, reached.values())) / len(reached)
    return min(reached, key=lambda seed: (abs(math.log(reached[seed]) - middle), seed))


def _point(standing: Standing, verdict: Verdict) -> PlannedPoint:
    point, interval = standing.point, standing.interval(verdict.spread)
    fate, reason = verdict.fate(standing)
    whole = interval.typical is not None and math.isfinite(interval.high)
    return PlannedPoint(
        framework=point.framework,
        aggregation_ratio=point.aggregation_ratio,
        cut_layer=point.cut_layer,
        batch_size=point.batch_size,
        average_every=point.average_every,
        learning_rate=point.learning_rate,
        round_bound_s=standing.latency.mean_bound_s,
        round_latency_s=standing.latency.round_s,
        rounds=interval.typical if whole else None,
        rounds_low=_finite(interval.low),
        rounds_high=_finite(interval.high),
        time_low_s=_finite(standing.least_s(verdict.spread)),
        time_high_s=_finite(standing.most_s(verdict.spread)),
        fate=fate,
        reason=reason,
        pilots=tuple(
            PlannedPilot(
                seed=seed,
                rounds=pilot.rounds,
                reached=pilot.reached,
                diverged=pilot.diverged,
                best_accuracy=pilot.best_accuracy,
            )
            for seed, pilot in sorted(standing.pilots.items())
        ),
    )


def _written(options: dict[str, object]) -> dict[str, object]:
    """Return options as they stand in files and on the command line."""
    return {name: getattr(value, "value", value) for name, value in options.items()}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
