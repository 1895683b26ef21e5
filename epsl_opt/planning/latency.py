"""How long the rounds of a point take at least, whatever the schedule, and under the best schedule found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from epsl_opt.core.defaults import DEFAULT_SOLVER
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import fl_round, framework_round, sfl_round, vanilla_sl_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import transmission_time_s
from epsl_opt.core.results import Limits
from epsl_opt.core.round_timing import RoundTiming, round_timing
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.water_filling import max_rate_bps
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.solving.solve import solve


@dataclass(frozen=True, eq=False)
class PointLatency:
    """What is certain of a point's rounds.

    Parameters
    ----------
    instance
        With the point's aggregation ratio and batch size, and its one cut layer.
    document
        The best schedule found.
    timing
        How long rounds take under it.
    plain_bound_s
        No schedule makes a round without an exchange of averaged models shorter.
    mean_bound_s
        No schedule makes the mean of I rounds, one of which ends with such an exchange, shorter; the same as
        `plain_bound_s` where none is averaged.
    """

    instance: Instance
    document: ScheduleDocument
    timing: RoundTiming
    plain_bound_s: float
    mean_bound_s: float

    @property
    def round_s(self) -> float:
        """The mean round latency under the schedule found."""
        return self.timing.mean.round_latency_s

    def least_s(self, rounds: float) -> float:
        """Return what so many rounds take at least, in simulated seconds, under any schedule.

        Of n rounds floor(n / I) end with an exchange, which is at least (n - I + 1) / I of them; convex in n, so that
        it holds for means, too.
        """
        if rounds <= 0:
            return 0.0
        exchange_s = max(self.mean_bound_s - self.plain_bound_s, 0.0)
        before = 0 if self.timing.average_every is None else self.timing.average_every - 1
        return rounds * self.plain_bound_s + max(rounds - before, 0.0) * exchange_s

    def most_s(self, rounds: float) -> float:
        """Return what so many rounds take at most, in simulated seconds, under the schedule found."""
        return rounds * self.round_s

    def rounds_within(self, time_s: float) -> int:
        """Return the least number of rounds that take longer than this under any schedule."""
        rounds = int(time_s / max(self.mean_bound_s, self.plain_bound_s)) if time_s > 0 else 0
        while self.least_s(rounds) <= time_s:
            rounds += max(1, int((time_s - self.least_s(rounds)) / max(self.mean_bound_s, self.plain_bound_s)))
        return rounds


@dataclass
class Pricing:
    """Prices points of one fitted instance; problems that points share are solved once."""

    instance: Instance
    limits: Limits
    solved: dict[str, tuple[ScheduleDocument, Schedule, float]] = field(default_factory=dict)

    def price(
        self, clock: Framework, ratio: float, cut_layer: str, batch_size: int, average_every: int | None
    ) -> PointLatency:
        """Return what is certain of the rounds of one way to train.

        Parameters
        ----------
        clock
            The framework whose round latency applies.

        Raises
        ------
        InputError
            If there is no schedule, or no such cut layer.
        """
        own = self.instance.with_training(batch_size=batch_size, aggregation_ratio=ratio).with_cut_layers([cut_layer])
        document, schedule, bound_s = self._solve(own)
        timing = round_timing(own, schedule, clock, average_every)
        plain_s = min(plain_bound_s(own, clock, bound_s), timing.plain.round_latency_s)
        mean_s = plain_s if average_every is None else plain_s + least_exchange_s(own) / average_every
        return PointLatency(own, document, timing, plain_s, min(mean_s, timing.mean.round_latency_s))

    def _solve(self, instance: Instance) -> tuple[ScheduleDocument, Schedule, float]:
        key = instance.sha256
        if key not in self.solved:
            result = solve(instance, DEFAULT_SOLVER, self.limits)
            if result.schedule is None:
                told = result.message or f"{result.status}, {result.stop_reason}"
                raise InputError(f"instance {instance.name}", f"has no schedule: {told}")
            document = ScheduleDocument.from_result(instance, result)
            self.solved[key] = document, result.schedule, result.bound_s or 0.0
        return self.solved[key]


def plain_bound_s(instance: Instance, clock: Framework, epsl_bound_s: float) -> float:
    """Return what a round of a framework takes at least under any schedule, given that bound for (E)PSL's round."""
    match clock:
        case Framework.EPSL | Framework.PSL:
            return epsl_bound_s
        case Framework.SFL | Framework.SFL_V2:
            return epsl_bound_s + least_exchange_s(instance)
        case Framework.SL:
            return vanilla_sl_round(instance, 0).round_latency_s
        case Framework.FL:
            return _least_fl_round_s(instance)
        case Framework.CENTRALISED:
            return framework_round(instance, _nothing(instance), clock).stage_times.round_latency_s


def least_exchange_s(instance: Instance) -> float:
    """Return what the exchange of client-side models takes at least: every client alone on all subchannels."""
    bits = instance.model.cut_layers[0].client_parameter_bits
    broadcast_s = sfl_round(instance, _nothing(instance)).model_broadcast_s
    return float(transmission_time_s(bits, _best_rates_bps(instance)).max()) + float(broadcast_s)


def _least_fl_round_s(instance: Instance) -> float:
    found = fl_round(instance, _nothing(instance))
    upload_s = transmission_time_s(instance.model.total_parameter_bits, _best_rates_bps(instance))
    return float((found.training_s + upload_s).max()) + found.broadcast_s


def _best_rates_bps(instance: Instance) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    power = np.minimum(instance.max_power_w, instance.server.total_uplink_power_w)
    return max_rate_bps(instance.uplink_noise_w_per_hz, instance.bandwidth_hz, power)


def _nothing(instance: Instance) -> Schedule:
    """Return a schedule that gives nobody anything, for what does not depend on it."""
    n_subchannels = len(instance.subchannels.bandwidth_hz)
    return Schedule(0, np.full(n_subchannels, -1), np.zeros(n_subchannels))
