"""The vocabulary of results refuses what cannot be."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances_with_schedules

from epsl_opt import Instance, Limits, Schedule, SolutionStatus, SolveResult, StopReason, Violation, round_latency
from epsl_opt.core.marginal_values import MarginalValues
from epsl_opt.core.results import relative_gap

VIOLATION = Violation("client power limit P_i", "client-0", 1.0, "W", 1e-9)
NEEDS_SCHEDULE = {StopReason.OPTIMAL_PROVED, StopReason.GAP_REACHED}
HAS_NONE = {StopReason.INFEASIBLE_PROVED, StopReason.UNSUPPORTED}


def fields(case: tuple[Instance, Schedule], status: SolutionStatus, stop: StopReason) -> dict[str, Any]:
    """Consistent fields of a result with this status."""
    instance, schedule = case
    verified = status is SolutionStatus.VERIFIED
    return {
        "instance_name": instance.name,
        "instance_sha256": instance.sha256,
        "solver": "any",
        "status": status,
        "stop_reason": stop,
        "message": "",
        "schedule": schedule if verified else None,
        "latency": round_latency(instance, schedule) if verified else None,
        "bound_s": None,
        "violations": (VIOLATION,) if status is SolutionStatus.REJECTED else (),
        "trace": (),
        "build_s": 0.0,
        "solve_s": 0.1,
        "overrun_s": 0.0,
        "provenance": {},
    }


@given(instances_with_schedules())
def test_only_possible_pairs_of_status_and_reason_exist(case: tuple[Instance, Schedule]) -> None:
    """A proof needs a schedule, and an infeasible or unsupported instance has none; every other pair is allowed."""
    for status, stop in itertools.product(SolutionStatus, StopReason):
        impossible = (stop in NEEDS_SCHEDULE and status is SolutionStatus.NONE) or (
            stop in HAS_NONE and status is not SolutionStatus.NONE
        )
        if impossible:
            with pytest.raises(ValueError, match=str(stop)):
                SolveResult(**fields(case, status, stop))
        else:
            assert SolveResult(**fields(case, status, stop)).status is status


@given(instances_with_schedules())
def test_status_agrees_with_what_is_there(case: tuple[Instance, Schedule]) -> None:
    """Verified without schedule, a schedule without verified, and rejected without a reason are all refused."""
    verified = fields(case, SolutionStatus.VERIFIED, StopReason.COMPLETED)
    rejected = fields(case, SolutionStatus.REJECTED, StopReason.COMPLETED)
    wrong = [
        verified | {"schedule": None},
        verified | {"latency": None},
        verified | {"violations": (VIOLATION,)},
        rejected | {"violations": ()},
        rejected | {"schedule": case[1]},
        verified | {"bound_s": math.nan},
        verified | {"bound_s": math.inf},
        verified | {"bound_s": -math.inf},
    ]
    for contradiction in wrong:
        with pytest.raises(ValueError, match=r"do not fit|bound_s"):
            SolveResult(**contradiction)


@given(instances_with_schedules(), st.floats(0, 1))
def test_gap_is_computed_from_the_verified_latency(case: tuple[Instance, Schedule], share: float) -> None:
    """The gap is (latency - bound) / latency, and missing where the bound is."""
    result = SolveResult(**fields(case, SolutionStatus.VERIFIED, StopReason.TIME_LIMIT))
    assert result.gap is None
    assert result.latency_s == round_latency(*case).round_latency_s
    bounded = replace(result, bound_s=share * result.latency_s)
    assert bounded.gap == pytest.approx(1 - share, abs=1e-12)


@pytest.mark.parametrize(
    ("latency", "bound", "gap"),
    [(2.0, 1.0, 0.5), (2.0, 2.0, 0.0), (2.0, 2.1, 0.0), (0.0, 0.0, 0.0), (None, 1.0, None), (1.0, None, None)],
)
def test_relative_gap(latency: float | None, bound: float | None, gap: float | None) -> None:
    """The gap is never negative, zero for a latency of zero, and None without latency or bound."""
    assert relative_gap(latency, bound) == gap


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_s": 0.0},
        {"time_s": -1.0},
        {"time_s": math.nan},
        {"rel_gap": -1e-9},
        {"rel_gap": math.nan},
        {"threads": 0},
        {"threads": -1},
        {"seed": -1},
    ],
    ids=str,
)
def test_limits_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    """No time, NaN, negative gaps, threads or seeds raise an error that names the limit."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


def test_no_time_limit_is_infinity() -> None:
    """An infinite time limit and a gap of zero are limits like any other."""
    assert Limits(time_s=math.inf, rel_gap=0.0, threads=1, seed=0).time_s == math.inf


@given(instances_with_schedules(), st.sampled_from([None, False, True]))
def test_provenance_repeats_what_a_schedule_file_tells(case: tuple[Instance, Schedule], warm: bool | None) -> None:
    """Whether a start was used and what resources are worth stand in the provenance exactly where they are known."""
    values = MarginalValues(
        total_uplink_power_s_per_w=1.0,
        client_power_s_per_w=np.ones(case[0].n_clients),
        client_compute_s_per_gflops=np.ones(case[0].n_clients),
        server_compute_s_per_gflops=2.0,
        subchannel_s=np.ones(case[0].n_subchannels),
    )
    plain = fields(case, SolutionStatus.VERIFIED, StopReason.COMPLETED) | {"provenance": {"seed": 1}}
    told = SolveResult(**plain, warm_start=warm, marginal_values=values)
    start = {} if warm is None else {"warm_start": warm}
    assert told.provenance == {"seed": 1, **start, "marginal_values": values.to_document()}
    assert SolveResult(**plain).provenance == {"seed": 1}
