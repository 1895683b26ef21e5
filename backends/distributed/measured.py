"""Measured beside simulated times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from epsl_opt.backends.distributed.round_times import CLIENT_STAGES, RoundTimes
from epsl_opt.backends.pytorch.session import STRATEGIES
from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import psl_round, sfl_round, vanilla_sl_round
from epsl_opt.core.latency import round_latency
from epsl_opt.core.stage_times import StageTimes, stage_times
from epsl_opt.files.json_files import format_json, write_bytes
from epsl_opt.plugins.backend import TrainingPlan

FILE = "measured.json"
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
    def simulated(self) -> StageTimes:
        """A round's stages by the clock."""
        return stage_times(self.plan.instance, self.plan.schedule, self.clock)

    def stages(self) -> dict[str, FloatArray]:
        """Return the measured seconds of every stage, shape (rounds,)."""
        in_turn = STRATEGIES[self.plan.framework].in_turn
        found = [asdict(times.stages(in_turn=in_turn)) for times in self.rounds.values()]
        return {stage: np.array([row[stage] for row in found]) for stage in STAGES}

    def clients(self) -> dict[str, FloatArray]:
        """Return the median seconds of every stage of clients, shape (clients,)."""
        found = [times.clients() for times in self.rounds.values()]
        return {stage: np.median([row[stage] for row in found], axis=0) for stage in CLIENT_STAGES}

    def simulated_clients(self) -> dict[str, FloatArray]:
        """Return the simulated seconds of stages of clients, shape (clients,); nothing where a clock has none."""
        found = _latency(self.plan, self.clock)
        if found is None:
            return {}
        n_clients = self.plan.instance.n_clients
        values = {stage: getattr(found, stage, None) for stage in CLIENT_STAGES}
        return {
            stage: np.broadcast_to(value, n_clients).astype(float)
            for stage, value in values.items()
            if value is not None
        }

    def document(self) -> dict[str, object]:
        """Return everything, ready for JSON."""
        simulated, own = asdict(self.simulated), self.simulated_clients()
        return {
            "framework": self.plan.framework.value,
            "rounds": [number + 1 for number in self.rounds],
            "clients": [client.name for client in self.plan.instance.clients],
            "stages": {
                stage: {
                    "simulated_s": simulated[stage],
                    "measured_median_s": float(np.median(values)),
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

    def write(self, folder: Path) -> None:
        """Write the document into a training's folder."""
        write_bytes(folder / FILE, format_json(self.document()).encode())


def _latency(plan: TrainingPlan, clock: Framework) -> object:
    """Return the record that has the clients' stages."""
    match clock:
        case Framework.EPSL:
            return round_latency(plan.instance, plan.schedule)
        case Framework.PSL:
            return psl_round(plan.instance, plan.schedule)
        case Framework.SFL | Framework.SFL_V2:
            return sfl_round(plan.instance, plan.schedule).training
        case Framework.SL:
            return vanilla_sl_round(plan.instance, plan.schedule.cut_layer)
        case _:
            return None
