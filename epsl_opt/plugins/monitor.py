"""What a running solver reports to, and may look at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from epsl_opt.core.checker import RELATIVE_TOLERANCE, Violation, check
from epsl_opt.core.instance import Instance
from epsl_opt.core.ledger import Ledger
from epsl_opt.core.marginal_values import MarginalValues
from epsl_opt.core.results import Limits, TracePoint, relative_gap
from epsl_opt.core.schedule import Schedule
from epsl_opt.core.stage_times import RoundStages

log = logging.getLogger(__name__)

Listener = Callable[["SolveMonitor"], None]

_WRITABLE = ("message",)


class SolveMonitor:
    """A solver's view of its run: the clock, the best schedule and the best bound.

    A solver offers every schedule it wants to be judged by as soon as it has it, so that a time limit, Ctrl-C or an
    error can end it anywhere. Latencies are computed from the decisions, never taken from the solver, and every offer
    is checked. All of it is read-only but `message`: what is trusted stands in a ledger that the solver does not hold.
    """

    __slots__ = ("_instance", "_ledger", "_limits", "_start")

    _instance: Instance
    _ledger: Callable[[], Ledger]
    _limits: Limits
    _start: Schedule | None

    def __init__(
        self, instance: Instance, limits: Limits, listener: Listener | None = None, start: Schedule | None = None
    ) -> None:
        self._bind(Ledger(instance, limits), listener, start)

    @classmethod
    def on(cls, ledger: Ledger, listener: Listener | None = None, start: Schedule | None = None) -> Self:
        """Return a monitor that writes into `ledger`."""
        monitor = cls.__new__(cls)
        monitor._bind(ledger, listener, start)
        return monitor

    def _bind(self, ledger: Ledger, listener: Listener | None, start: Schedule | None) -> None:
        # The solver gets copies of whatever could be written to, and no attribute from which the ledger could be taken.
        own: dict[str, object] = {
            "_instance": ledger.instance.detached(),
            "_limits": replace(ledger.limits),
            "_ledger": lambda: ledger,
            "_start": None if start is None else start.copy(),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)
        if listener is not None:
            ledger.on_change = lambda: listener(self)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _WRITABLE and hasattr(SolveMonitor, name):
            raise AttributeError(f"a monitor's {name} is read-only: offer schedules, prove bounds")
        object.__setattr__(self, name, value)

    @property
    def instance(self) -> Instance:
        """What is to be solved."""
        return self._instance

    @property
    def limits(self) -> Limits:
        """When to stop."""
        return self._limits

    @property
    def incumbent(self) -> Schedule | None:
        """The best feasible schedule offered so far."""
        return self._ledger().offered

    @property
    def latency(self) -> RoundStages | None:
        """The stages of the incumbent."""
        return self._ledger().latency

    @property
    def bound_s(self) -> float | None:
        """The best bound proved so far, in seconds."""
        return self._ledger().bound_s

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the checker found in offers."""
        return tuple(self._ledger().violations)

    @property
    def trace(self) -> tuple[TracePoint, ...]:
        """Incumbent and bound over time."""
        return self._ledger().trace

    @property
    def marginal_values(self) -> MarginalValues | None:
        """What more of each resource is worth, if the solver told."""
        values = self._ledger().marginal_values
        return None if values is None else values.detached()

    @property
    def activity(self) -> str:
        """What the solver said that it is doing."""
        return self._ledger().activity

    @property
    def message(self) -> str:
        """One line for the user, which a solver may set."""
        return self._ledger().message

    @message.setter
    def message(self, text: str) -> None:
        self._ledger().message = str(text)

    @property
    def elapsed_s(self) -> float:
        """Wall-clock seconds since the start."""
        return self._ledger().elapsed_s

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
        return self._ledger().latency_s

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
        return self._ledger().built_s or 0.0

    def built(self) -> None:
        """Mark the end of model building (the first call counts)."""
        self._ledger().built()

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
        self._ledger().warm = True
        return self._start

    def offer(self, schedule: Schedule) -> float:
        """Judge a schedule and keep it if it is the best so far.

        Returns its latency in seconds, inf if it breaks a constraint.
        """
        return self._ledger().offer(schedule)

    def prove(self, bound_s: float) -> None:
        """Report a proved lower bound on the latency of every schedule, in seconds; the largest counts.

        -inf says nothing. NaN and inf are no bounds and reject the run.
        """
        self._ledger().prove(bound_s)

    def value(self, values: MarginalValues) -> None:
        """Report what more of each resource is worth, by the prices behind the bound."""
        self._ledger().value(values)

    def say(self, activity: str) -> None:
        """Tell the user in a few words what the solver is doing."""
        self._ledger().say(activity)
