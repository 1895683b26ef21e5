"""Every bound is below every schedule: all solvers against one another on the library's instances."""

from __future__ import annotations

import pytest
from draws import seconds

from epsl_opt import Limits, SolutionStatus, StopReason, solve
from epsl_opt.plugins.registry import SOLVERS, names
from epsl_opt.problems import library

MOST_PAIRS = 500
LIMITS = Limits(time_s=seconds(0.1, 1.0), rel_gap=1e-3, threads=1)
INSTANCES = [one.name for one in map(library.load, library.names()) if one.n_clients * one.n_subchannels <= MOST_PAIRS]


@pytest.mark.drawn
@pytest.mark.parametrize("name", INSTANCES)
def test_every_bound_is_below_every_schedule(name: str) -> None:
    """Whoever proved it, a bound is at most the latency of any verified schedule, best known ones included."""
    instance = library.load(name)
    results = [solve(instance, solver, LIMITS) for solver in names(SOLVERS) if not solver.startswith("toy")]
    took = [result for result in results if result.stop_reason is not StopReason.UNSUPPORTED]
    assert [result.message for result in took if result.status is SolutionStatus.REJECTED] == []
    known = library.best_known(name)
    bounds = [result.bound_s for result in took] + [known.bound_s]
    latencies = [result.latency_s for result in took] + [known.latency_s]
    found = [bound for bound in bounds if bound is not None]
    assert found
    assert max(found) <= min(latency for latency in latencies if latency is not None) * (1 + 1e-9)
