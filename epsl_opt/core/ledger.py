"""What `solve` trusts about one run: facts taken down by its own hand, never an object that a solver keeps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from epsl_opt.core.checker import Violation, check, check_bound
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.instance import Instance
from epsl_opt.core.marginal_values import MarginalValues
from epsl_opt.core.results import Limits, TracePoint
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.stage_times import RoundStages


class Ledger:
    """The clock, the best feasible schedule and the best bound of one run.

    A solver only sees a `SolveMonitor`. What it says through that is copied into plain numbers and arrays that nobody
    can write to, so that nothing the solver changes afterwards is believed.

    Parameters
    ----------
    instance
        The judge's own; the solver gets a detached copy.
    limits
        Of the run.

    Attributes
    ----------
    incumbent, latency
        The best feasible schedule, a copy that no solver has seen, and its stages; `offered` is what it was copied
        from, the solver's own.
    bound_s, violations, marginal_values, message, activity, warm, built_s
        What else was said in the run; `warm` tells whether the solver took the schedule to start from.
    on_change
        Called after every step.
    """

    def __init__(self, instance: Instance, limits: Limits) -> None:
        self.instance, self.limits = instance, limits
        self.incumbent: Schedule | None = None
        self.offered: Schedule | None = None
        self.latency: RoundStages | None = None
        self.bound_s: float | None = None
        self.violations: list[Violation] = []
        self.marginal_values: MarginalValues | None = None
        self.message = ""
        self.activity = ""
        self.warm = False
        self.built_s: float | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._start_s = time.perf_counter()
        self._steps: list[tuple[float, float | None, float | None]] = []

    @property
    def elapsed_s(self) -> float:
        """Wall-clock seconds since the start."""
        return time.perf_counter() - self._start_s

    @property
    def latency_s(self) -> float:
        """Round latency of the incumbent; inf without one."""
        return math.inf if self.latency is None else self.latency.round_latency_s

    @property
    def trace(self) -> tuple[TracePoint, ...]:
        """Incumbent and bound over time."""
        return tuple(TracePoint(*step) for step in self._steps)

    def offer(self, schedule: Schedule) -> float:
        """Judge a copy of `schedule`, keep it if it is the best so far, and return its latency in seconds, or inf."""
        copy = Schedule.copy(schedule)
        violations = check(self.instance, copy)
        if violations:
            self.violations += violations
            return math.inf
        latency = instance_round(self.instance, copy)
        if latency.round_latency_s < self.latency_s:
            self.incumbent, self.latency, self.offered = copy, latency, schedule
            self._record()
        return latency.round_latency_s

    def prove(self, bound_s: float) -> None:
        """Take down a lower bound in seconds; the largest counts, -inf says nothing, NaN and inf are false."""
        value = float(bound_s)
        if not value < math.inf:
            self.violations += check_bound(value, self.latency_s)
        elif value > (-math.inf if self.bound_s is None else self.bound_s):
            self.bound_s = value
            self._record()

    def value(self, values: MarginalValues) -> None:
        """Take down marginal values, validated again."""
        self.marginal_values = MarginalValues(**{name: getattr(values, name) for name in MarginalValues.model_fields})

    def built(self) -> None:
        """Take down the end of model building (the first call counts)."""
        if self.built_s is None:
            self.built_s = self.elapsed_s

    def say(self, activity: str) -> None:
        """Take down what the solver is doing."""
        self.activity = str(activity)
        self.on_change()

    def _record(self) -> None:
        latency_s = None if self.latency is None else self.latency_s
        self._steps.append((self.elapsed_s, latency_s, self.bound_s))
        self.on_change()
