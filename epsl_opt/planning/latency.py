"""How long the rounds of a point take at least, whatever the schedule, and under the best schedule found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from epsl_opt.core.defaults import DEFAULT_SOLVER
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits
from epsl_opt.core.round_timing import RoundTiming, round_timing
from epsl_opt.core.schedule import Schedule
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.retiming import retimed
from epsl_opt.planning.point import Point
from epsl_opt.plugins.registry import load_solver
from epsl_opt.plugins.solver import AnySolver
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

    def sharpened(self, other: PointLatency) -> PointLatency:
        """Return the schedule of another solve of the same problem, unless it is longer, and the sharper bounds."""
        best = self if self.round_s < other.round_s else other
        plain_bound_s = max(self.plain_bound_s, other.plain_bound_s)
        return replace(best, plain_bound_s=plain_bound_s, mean_bound_s=max(self.mean_bound_s, other.mean_bound_s))

    def rounds_within(self, time_s: float) -> int:
        """Return the least number of rounds that take longer than this under any schedule."""
        rounds = int(time_s / max(self.mean_bound_s, self.plain_bound_s)) if time_s > 0 else 0
        while self.least_s(rounds) <= time_s:
            rounds += max(1, int((time_s - self.least_s(rounds)) / max(self.mean_bound_s, self.plain_bound_s)))
        return rounds


@dataclass
class Pricing:
    """Prices points of one fitted instance; each solve starts from the schedule before, and `exact` from its prices.

    Problems that points share are solved once.
    """

    instance: Instance
    limits: Limits
    solved: dict[str, tuple[ScheduleDocument, Schedule, float]] = field(default_factory=dict)
    last: Schedule | None = None
    solver: AnySolver = field(default_factory=lambda: load_solver(DEFAULT_SOLVER))

    def price(self, point: Point, clock: Framework | None = None) -> PointLatency:
        """Return what is certain of the rounds of one way to train.

        Parameters
        ----------
        clock
            The framework whose round latency applies, if another.

        Raises
        ------
        InputError
            If there is no schedule, or no such cut layer.
        """
        framework, ratio, average_every = point.framework, point.aggregation_ratio, point.average_every
        timed_by = clock or framework
        at_cut = self.instance.with_cut_layers([point.cut_layer]).with_training(batch_size=point.batch_size)
        plain = _of(at_cut, timed_by, ratio, None)
        own = _of(at_cut, timed_by, ratio, average_every)
        plain_bound_s = self._solve(plain)[2]
        document, schedule, mean_bound_s = self._solve(own)
        trained = _of(at_cut, framework, ratio, average_every)
        if not document.is_for(trained):
            document = retimed(document, trained) or document
        timing = round_timing(trained, schedule, timed_by, average_every)
        plain_bound_s = min(plain_bound_s, timing.plain.round_latency_s)
        mean_bound_s = min(max(mean_bound_s, plain_bound_s), timing.mean.round_latency_s)
        return PointLatency(trained, document, timing, plain_bound_s, mean_bound_s)

    def _solve(self, instance: Instance) -> tuple[ScheduleDocument, Schedule, float]:
        key = instance.sha256
        if key not in self.solved:
            result = solve(instance, self.solver, self.limits, start=self.last)
            if result.schedule is None:
                told = result.message or f"{result.status}, {result.stop_reason}"
                raise InputError(f"instance {instance.name}", f"has no schedule: {told}")
            document = ScheduleDocument.from_result(instance, result)
            self.last = result.schedule
            self.solved[key] = document, result.schedule, max(result.bound_s or 0.0, 0.0)
        return self.solved[key]


def _of(instance: Instance, framework: Framework, ratio: float, average_every: int | None) -> Instance:
    """Return the instance whose round is that of a way to train."""
    averaging = average_every if framework.averages_on_request else None
    return instance.with_training(framework=framework, aggregation_ratio=ratio, average_every=averaging)
