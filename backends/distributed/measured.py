"""Measured beside simulated times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np

from epsl_opt.backends.distributed.round_times import CLIENT_STAGES, RoundTimes
from epsl_opt.backends.pytorch.session import STRATEGIES
from epsl_opt.core.arrays import BoolArray, FloatArray
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round
from epsl_opt.core.round_timing import round_timing
from epsl_opt.core.stage_times import RoundStages, StageTimes
from epsl_opt.plugins.backend import TrainingPlan

STAGES = tuple(field.name for field in fields(StageTimes))


@dataclass(frozen=True, eq=False)
class Measured:
    """What rounds really took, beside what the clock of simulated time says.

    Parameters
    ----------
    plan
        What was trained.
    clock
        The framework whose round latency applies.
    rounds
        By the number of rounds finished before; those trained by this process alone.
    """

    plan: TrainingPlan
    clock: Framework
    rounds: Mapping[int, RoundTimes]

    @property
    def _round(self) -> RoundStages:
        return framework_round(self.plan.instance, self.plan.schedule, self.clock)

    @property
    def simulated(self) -> StageTimes:
        """A round's stages by the clock; of one that exchanges models if a measured one did."""
        timing = round_timing(self.plan.instance, self.plan.schedule, self.clock, self.plan.average_every)
        return timing.with_exchange if self._averaged.any() else timing.plain

    @property
    def _averaged(self) -> BoolArray:
        """After which of the rounds models were averaged because of the plan, shape (rounds,)."""
        every, finished = self.plan.average_every, np.array(list(self.rounds)) + 1
        return np.zeros(len(finished), dtype=bool) if every is None else finished % every == 0

    def stages(self) -> dict[str, FloatArray]:
        """Return the measured seconds of every stage, shape (rounds,)."""
        in_turn = STRATEGIES[self.plan.framework].in_turn
        found = [asdict(times.stages(in_turn=in_turn)) for times in self.rounds.values()]
        return {stage: np.array([row[stage] for row in found]) for stage in STAGES}

    def medians(self) -> dict[str, float]:
        """Return the median seconds of every stage; of the exchange of models, over the rounds that had one."""
        found, averaged = self.stages(), self._averaged
        if averaged.any():
            found["model_exchange_s"] = found["model_exchange_s"][averaged]
        return {stage: float(np.median(values)) for stage, values in found.items()}

    def clients(self) -> dict[str, FloatArray]:
        """Return the median seconds of every stage of clients, shape (clients,)."""
        found = [times.clients() for times in self.rounds.values()]
        return {stage: np.median([row[stage] for row in found], axis=0) for stage in CLIENT_STAGES}

    def simulated_clients(self) -> dict[str, FloatArray]:
        """Return the simulated seconds of stages of clients, shape (clients,); nothing where a clock has none."""
        if self.clock in (Framework.FL, Framework.CENTRALISED):
            return {}
        n_clients = self.plan.instance.n_clients
        stages = [stage for stage in CLIENT_STAGES if stage != "broadcast_s" or self.clock is not Framework.SL]
        return {stage: np.broadcast_to(getattr(self._round, stage), n_clients).astype(float) for stage in stages}

    def document(self) -> dict[str, object]:
        """Return everything, ready for JSON."""
        simulated, own, medians = asdict(self.simulated), self.simulated_clients(), self.medians()
        return {
            "framework": self.plan.framework.value,
            "rounds": [number + 1 for number in self.rounds],
            "clients": [client.name for client in self.plan.instance.clients],
            "stages": {
                stage: {
                    "simulated_s": simulated[stage],
                    "measured_median_s": medians[stage],
                    "measured_s": values.tolist(),
                }
                for stage, values in self.stages().items()
            },
            "client_stages": {
                stage: {
                    "simulated_s": own[stage].tolist() if stage in own else None,
                    "measured_median_s": values.tolist(),
                }
                for stage, values in self.clients().items()
            },
        }
