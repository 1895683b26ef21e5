"""What a running solver reports to, and what survives when it is stopped."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from epsl_opt.checker import RELATIVE_TOLERANCE, Violation, check
from epsl_opt.instance import Instance
from epsl_opt.latency import RoundLatency, round_latency
from epsl_opt.marginal_values import MarginalValues
from epsl_opt.results import Limits, TracePoint, relative_gap
from epsl_opt.schedule import Schedule

log = logging.getLogger(__name__)

Listener = Callable[["SolveMonitor"], None]


class SolveMonitor:
    """Keeps the clock, the best verified schedule and the best bound of one run.

    A solver offers every schedule it wants to be judged by as soon as it has it, so that a time limit, Ctrl-C or an
    error can end it anywhere. Latencies are computed here, never taken from the solver, and every offer is checked.
    """

    def __init__(
        self, instance: Instance, limits: Limits, listener: Listener | None = None, start: Schedule | None = None
    ) -> None:
        self.instance = instance
        self.limits = limits
        self.incumbent: Schedule | None = None
        self.latency: RoundLatency | None = None
        self.bound_s: float | None = None
        self.violations: list[Violation] = []
        self.trace: list[TracePoint] = []
        self.message = ""
        self.marginal_values: MarginalValues | None = None
        self.activity = ""
        self.warm = False
        self._start = start
        self._listener = listener
        self._start_s = time.perf_counter()
        self._built_s: float | None = None

    @property
    def elapsed_s(self) -> float:
        """Wall-clock seconds since the start."""
        return time.perf_counter() - self._start_s

    @property
    def remaining_s(self) -> float:
        """Seconds left before the time limit, never negative; inf without a limit."""
        return max(self.limits.time_s - self.elapsed_s, 0.0)

    @property
    def out_of_time(self) -> bool:
        """Whether the solver must stop now."""
        return self.remaining_s == 0.0

    def is_out_of_time(self) -> bool:
        """`out_of_time` as a function, to hand on."""
        return self.out_of_time

    @property
    def latency_s(self) -> float:
        """Round latency of the incumbent; inf without one."""
        return math.inf if self.latency is None else self.latency.round_latency_s

    @property
    def gap(self) -> float | None:
        """Proved relative gap of the incumbent, if there are an incumbent and a bound."""
        return relative_gap(None if self.latency is None else self.latency_s, self.bound_s)

    @property
    def gap_reached(self) -> bool:
        """Whether the gap asked for is proved, up to the rounding that the checker tolerates."""
        return self.gap is not None and self.gap <= max(self.limits.rel_gap, RELATIVE_TOLERANCE)

    @property
    def build_s(self) -> float:
        """Seconds until the solver said that its model was built; 0 if it never did."""
        return self._built_s or 0.0

    def built(self) -> None:
        """Mark the end of model building (the first call counts)."""
        if self._built_s is None:
            self._built_s = self.elapsed_s

    def take_start(self) -> Schedule | None:
        """Return the schedule that the caller gave to start from, kept as the first incumbent; None if none fits.

        A solver that can use such a schedule calls this first, and then never ends with a worse one. Others need not
        know that there is one.
        """
        if self._start is None:
            return None
        violations = check(self.instance, self._start)
        if violations:
            log.info("%s: the schedule to start from does not fit: %s", self.instance.name, violations[0])
            return None
        self.offer(self._start)
        self.warm = True
        return self._start

    @property
    def was_given_start(self) -> bool:
        """Whether the caller gave a schedule to start from, fit or not."""
        return self._start is not None

    def offer(self, schedule: Schedule) -> float:
        """Judge a schedule and keep it if it is the best so far.

        Returns its latency in seconds, inf if it breaks a constraint.
        """
        violations = check(self.instance, schedule)
        if violations:
            self.violations += violations
            return math.inf
        latency = round_latency(self.instance, schedule)
        if latency.round_latency_s < self.latency_s:
            self.incumbent, self.latency = schedule, latency
            self._record()
        return latency.round_latency_s

    def prove(self, bound_s: float) -> None:
        """Report a proved lower bound on the latency of every schedule, in seconds; the largest counts."""
        if self.bound_s is None or not bound_s <= self.bound_s:
            self.bound_s = bound_s
            self._record()

    def value(self, values: MarginalValues) -> None:
        """Report what more of each resource is worth, by the prices behind the bound."""
        self.marginal_values = values

    def say(self, activity: str) -> None:
        """Tell the user in a few words what the solver is doing."""
        self.activity = activity
        self._notify()

    def _record(self) -> None:
        latency_s = None if self.latency is None else self.latency_s
        self.trace.append(TracePoint(self.elapsed_s, latency_s, self.bound_s))
        self._notify()

    def _notify(self) -> None:
        if self._listener is not None:
            self._listener(self)
