"""Pilot trainings: each kept in a folder of its own, gone on with slice by slice, side by side on an engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from epsl_opt.campaigns.engines import Engine
from epsl_opt.campaigns.stored_training import StoredTraining, TrainingResult
from epsl_opt.campaigns.training_campaign import StoredTrainings, TrainingObserver
from epsl_opt.campaigns.trainings import short_key
from epsl_opt.core.errors import EngineError
from epsl_opt.core.framework import Framework
from epsl_opt.core.stop_request import StopRequest
from epsl_opt.files.training_document import TrainingStop
from epsl_opt.files.training_records import first_reaching
from epsl_opt.planning.held import HeldTraining
from epsl_opt.planning.latency import PointLatency
from epsl_opt.planning.point import Point
from epsl_opt.planning.race import Slice
from epsl_opt.planning.standing import Pilot
from epsl_opt.training.goal import TrainingGoal
from epsl_opt.training.request import FittedInstance, TrainingRequest, backend_options
from epsl_opt.training.setup import TrainingSetup

log = logging.getLogger(__name__)


class PilotsInterrupted(KeyboardInterrupt):
    """The user stopped the pilots; what they did is kept."""


class _Slices(StoredTrainings):
    """Pilots that go on; one that has gone so far before, or has ended, is taken as it is."""

    def load(self, key: str, job: StoredTraining) -> TrainingResult | None:
        """Return what was trained, if it is enough."""
        found = job.finished()
        if found is None or found.summary.stop_reason != TrainingStop.ROUNDS:
            return found
        return found if len(found.records) >= job.setup.request.goal.rounds else None


@dataclass
class Pilots:
    """Trains slices of pilots.

    Parameters
    ----------
    base
        What is trained, but for what points decide, and the seed; its goal has the target.
    fitted
        The instance made fit for it.
    latencies
        With the schedule of each point.
    folder
        Where pilots are kept.
    engine
        Where they are trained.
    """

    base: TrainingRequest
    fitted: FittedInstance
    latencies: Mapping[Point, PointLatency]
    folder: Path
    engine: Engine
    observer: TrainingObserver | None
    stop_request: StopRequest

    def advance(self, slices: Sequence[Slice]) -> Mapping[Slice, Pilot]:
        """Train slices, each to its round, and return what pilots have shown by then; raises as `train`."""
        return {each: seen(result, each.rounds, self.target) for each, result in self.train(slices).items()}

    def train(self, slices: Sequence[Slice]) -> Mapping[Slice, TrainingResult]:
        """Train slices, each to its round at least; what was trained before counts.

        Raises
        ------
        PilotsInterrupted
            If the user stops them.
        EngineError
            If one comes to no end of its own.
        InputError
            If anything does not work.
        """
        setups = {each: self.setup(each.point, each.seed, each.rounds) for each in slices}
        keys = {each: pilot_key(setup) for each, setup in setups.items()}
        jobs = {keys[each]: HeldTraining(setup, self.folder / short_key(keys[each])) for each, setup in setups.items()}
        campaign = _Slices(jobs, None, self.observer, self.stop_request, self.engine)
        campaign.run()
        if campaign.failed:
            raise EngineError(next(iter(campaign.failed.values())))
        if len(campaign.found) < len(jobs):
            raise PilotsInterrupted
        return {each: campaign.found[keys[each]] for each in slices}

    @property
    def target(self) -> float:
        """The accuracy that is to be reached."""
        return self.base.goal.target_accuracy or 0.0

    def setup(self, point: Point, seed: int, rounds: int) -> TrainingSetup:
        """Return the training of a point with a seed, evaluated after every round, up to a round."""
        latency = self.latencies[point]
        request = replace(
            point_request(self.base, point), seed=seed, goal=TrainingGoal(rounds, self.target, evaluate_every=1)
        )
        fitted = FittedInstance(request, self.fitted.source, latency.instance, self.fitted.replaced)
        return TrainingSetup(fitted, latency.document)


def point_request(base: TrainingRequest, point: Point) -> TrainingRequest:
    """Return what is to be trained at a point."""
    options = base.options
    if point.learning_rate is not None:
        options = backend_options(base.backend, given_options(base) | {"lr": point.learning_rate})
    return replace(
        base,
        framework=point.framework,
        aggregation_ratio=point.aggregation_ratio if point.framework is Framework.EPSL else None,
        batch_size=point.batch_size,
        average_every=point.average_every,
        cut_layers=(point.cut_layer,),
        min_cut=None,
        options=options,
    )


def given_options(request: TrainingRequest) -> dict[str, object]:
    """Return the backend's options that the user gave."""
    return request.options.model_dump(exclude_unset=True)


def pilot_key(setup: TrainingSetup) -> str:
    """Return the key of a pilot, which is the same however far it is to go."""
    endless = replace(setup.request.goal, rounds=1)
    request = replace(setup.request, goal=endless)
    return replace(setup, fitted=replace(setup.fitted, request=request)).learning_key


def seen(result: TrainingResult, rounds: int, target: float) -> Pilot:
    """Return a pilot as it was after so many rounds; it may have gone further since."""
    records = result.records[:rounds]
    reached = first_reaching(records, target)
    failed = result.summary.divergence
    return Pilot(
        rounds=len(records) if reached is None else reached.round,
        reached=None if reached is None else reached.round,
        diverged=reached is None and failed is not None and failed.round <= rounds,
        best_accuracy=max((r.test_accuracy for r in records if r.test_accuracy is not None), default=None),
    )


class PilotFolder:
    """Where pilots are kept: in a folder of the user's, or in one that is gone afterwards."""

    def __init__(self, folder: Path | None) -> None:
        self._scratch = TemporaryDirectory(prefix="epsl-opt-plan-") if folder is None else None
        self.path = Path(self._scratch.name) if folder is None and self._scratch is not None else Path(folder or "")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()
