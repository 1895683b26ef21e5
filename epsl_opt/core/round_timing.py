"""How long the rounds of a training take where client-side models are averaged every so many of them, or never."""

from __future__ import annotations

from dataclasses import dataclass, replace

from epsl_opt.core.framework import Framework
from epsl_opt.core.frameworks import framework_round, sfl_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.stage_times import StageTimes


@dataclass(frozen=True)
class RoundTiming:
    """The simulated time of rounds; without `average_every` all are alike.

    Parameters
    ----------
    plain
        Stage times of a round after which no models are exchanged, other than what the framework itself exchanges.
    average_every
        I: models are averaged after rounds I, 2 I, 3 I and so on; never if None.
    exchange_s
        What that adds to such a round, in seconds.
    """

    plain: StageTimes
    average_every: int | None = None
    exchange_s: float = 0.0

    @property
    def with_exchange(self) -> StageTimes:
        """Stage times of a round after which the models are averaged."""
        return self._adding(self.exchange_s)

    @property
    def mean(self) -> StageTimes:
        """Mean stage times of I rounds: each has its I-th part of an exchange."""
        return self.plain if self.average_every is None else self._adding(self.exchange_s / self.average_every)

    def of_round(self, number: int) -> StageTimes:
        """Return the stage times of a round, counted from 1."""
        averaged = self.average_every is not None and number % self.average_every == 0
        return self.with_exchange if averaged else self.plain

    def simulated_time_s(self, rounds: int) -> float:
        """Return the simulated seconds of the first so many rounds: n T, and an exchange for every I of them."""
        if self.average_every is None:
            return rounds * self.plain.round_latency_s
        periods, rest = divmod(rounds, self.average_every)
        period_s = (self.average_every - 1) * self.plain.round_latency_s + self.with_exchange.round_latency_s
        return periods * period_s + rest * self.plain.round_latency_s

    def _adding(self, exchange_s: float) -> StageTimes:
        return replace(self.plain, model_exchange_s=self.plain.model_exchange_s + exchange_s)


def round_timing(
    instance: Instance, schedule: Schedule, framework: Framework, average_every: int | None = None
) -> RoundTiming:
    """Evaluate the rounds of `framework` under a schedule, its client-side models averaged as SplitFed averages them.

    An exchange takes max_i beta_j / R_i + beta_j / R_bc.
    """
    plain = framework_round(instance, schedule, framework).stage_times
    if average_every is None:
        return RoundTiming(plain)
    return RoundTiming(plain, average_every, sfl_round(instance, schedule).stage_times.model_exchange_s)
