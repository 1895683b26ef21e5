"""The Pyomo formulation: every schedule is a point of it, its tangents are valid, its optimum is the enumerated one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from draws import draws, examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import ROUNDS, instances, instances_with_schedules, magnitudes, resized

from epsl_opt import FREE, Instance, Limits, Schedule, SolutionStatus, StopReason, solve
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.frameworks import instance_round
from epsl_opt.core.latency import downlink_rates_bps, uplink_rates_bps
from epsl_opt.solvers.pyomo_model.model import minlp
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, scaled_cut
from epsl_opt.solvers.pyomo_model.tangents import OuterApproximation
from epsl_opt.testing import crossed_instance, draw_instance

TIGHT = 1e-9


def scaled(instance: Instance, schedule: Schedule) -> ScaledCut:
    """The schedule's cut layer."""
    return scaled_cut(instance, schedule.cut_layer)


def set_point(model: Any, data: ScaledCut, instance: Instance, schedule: Schedule) -> None:
    """Give the model's variables the values that a schedule means; a free subchannel goes to client 0."""
    owner = np.where(schedule.subchannel_client == FREE, 0, schedule.subchannel_client)
    held = owner == np.arange(instance.n_clients)[:, None]
    full_w = data.full_power * instance.server.total_uplink_power_w
    share = np.minimum(np.where(held, schedule.subchannel_power_w / full_w, 0.0), 1.0)
    for i in model.clients:
        model.n[i] = int(held[i].sum())
        for k in model.subchannels:
            model.r[i, k] = int(held[i, k])
    if data.sending:
        phase = data.sending[0]
        rate = np.minimum(phase.rate * np.log1p(data.snr * share), 1.0)
        for i in model.clients:
            for k in model.subchannels:
                model.q[i, k], model.u[i, k] = float(share[i, k]), float(rate[i, k])
    for phase, end, ends_s in zip(
        (data.uplink, data.downlink, data.exchange),
        ("T1", "T2", "T3"),
        phase_lengths_s(instance, schedule),
        strict=True,
    ):
        if phase is not None:
            getattr(model, end).value = ends_s / phase.unit_s


def phase_lengths_s(instance: Instance, schedule: Schedule) -> tuple[float, float, float]:
    """How long the phases of a schedule's round last after their last client is ready: uplink, downlink, exchange."""
    costs = cut_costs(instance, schedule.cut_layer)
    with np.errstate(divide="ignore"):
        up, down = 1 / uplink_rates_bps(instance, schedule), 1 / downlink_rates_bps(instance, schedule)
    ready, back = costs.client_forward_s, costs.client_backward_s
    return (
        float((ready - ready.max() + costs.uplink_bits * up).max()) if costs.uplink_bits else 0.0,
        float((back - back.max() + costs.downlink_bits * down).max()) if costs.downlink_bits else 0.0,
        float((costs.exchange_bits * up).max()) if costs.exchange_bits else 0.0,
    )


def worst_violation(model: Any) -> float:
    """The largest violation of a constraint, relative to the magnitude of its terms."""
    worst = 0.0
    for row in model.component_data_objects(pyo.Constraint):
        slack = min(row.uslack(), row.lslack())
        scale = max(1.0, abs(pyo.value(row.body)), *(abs(term) for term in _terms(row.body)))
        worst = max(worst, -slack / scale)
    return worst


def _terms(body: Any) -> list[float]:
    return [pyo.value(argument) for argument in getattr(body, "args", ())]


@given(instances_with_schedules(any_round=True))
def test_every_schedule_is_a_point_of_both_forms(drawn: tuple[Instance, Schedule]) -> None:
    """A schedule satisfies each constraint of the MINLP and of its relaxation, and its latency is the objective."""
    instance, schedule = drawn
    data = scaled(instance, schedule)
    for model in (minlp(data, unit_s=1.0), OuterApproximation(data, 3, unit_s=1.0).model):
        set_point(model, data, instance, schedule)
        assert worst_violation(model) <= TIGHT
        expected = instance_round(instance, schedule).round_latency_s
        assert pyo.value(model.latency) == pytest.approx(expected, rel=1e-9)


@given(instances_with_schedules(any_round=True), magnitudes(1e-6, 1e6), st.floats(0, 1))
def test_tangents_at_any_point_cut_no_schedule_off(
    drawn: tuple[Instance, Schedule], stretch: float, fraction: float
) -> None:
    """Tangents that are added where some other point is leave every schedule feasible."""
    instance, schedule = drawn
    data = scaled(instance, schedule)
    outer = OuterApproximation(data, 1)
    set_point(outer.model, data, instance, schedule)
    if data.sending:
        for i, k in outer.model.u:
            outer.model.r[i, k].set_value(fraction, skip_validation=True)
            outer.model.q[i, k].set_value(fraction**2, skip_validation=True)
            outer.model.u[i, k].set_value(stretch, skip_validation=True)
    for end in (outer.model.T1, outer.model.T2, *([outer.model.T3] if data.exchange is not None else [])):
        end.set_value(end.value * stretch, skip_validation=True)
    outer.refine(TIGHT)
    set_point(outer.model, data, instance, schedule)
    assert worst_violation(outer.model) <= TIGHT


def assert_optimal(instance: Instance, gap: float, options: dict[str, Any]) -> None:
    """Compare with enumeration."""
    best_s = solve(instance, "brute-force").latency_s
    result = solve(instance, "pyomo", Limits(time_s=60, rel_gap=gap, threads=1), options)
    assert best_s is not None
    assert result.latency_s is not None
    assert result.bound_s is not None
    assert result.stop_reason is StopReason.GAP_REACHED, result.message
    assert best_s * (1 - 1e-9) <= result.latency_s <= best_s / (1 - gap) * (1 + 1e-9)
    assert result.bound_s <= best_s * (1 + 1e-9)


@examples(12)
@given(instances(max_clients=3, max_subchannels=5), st.sampled_from([1e-2, 1e-3, 1e-4]))
def test_the_milp_proves_the_enumerated_optimum(instance: Instance, gap: float) -> None:
    """The outer approximation ends within the gap asked for of the enumerated optimum, with a bound below it."""
    assert_optimal(instance, gap, {})


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(12))
def test_the_milp_proves_the_enumerated_optimum_of_any_round(seed: int) -> None:
    """So it does whichever framework's round it is, with models of a hundredth to thirty times their size."""
    random = np.random.default_rng(seed)
    drawn = draw_instance(
        "drawn", seed, n_clients=1 + seed % 3, n_subchannels=4, aggregation_ratio=(0.0, 0.5)[seed % 2]
    )
    model = resized(drawn, float(10 ** random.uniform(-2, 1.5)))
    assert_optimal(drawn.replace(model=model).with_training(**ROUNDS[1 + seed % 5]), 1e-4, {})


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(3))
def test_whatever_tangents_it_begins_with(seed: int) -> None:
    """One tangent a curve to begin with is enough, since others are added where the solution is."""
    instance = draw_instance("drawn", seed, n_clients=2 + seed % 2, aggregation_ratio=(0.0, 0.3, 1.0)[seed % 3])
    assert_optimal(instance, 1e-4, {"tangents": 1})


@pytest.mark.drawn
@pytest.mark.parametrize("seed", draws(2))
@pytest.mark.parametrize(("subsolver", "module"), [("scip", "pyscipopt"), ("gurobi", "gurobipy")])
def test_the_minlp_proves_the_enumerated_optimum(subsolver: str, module: str, seed: int) -> None:
    """Other solvers prove the same optimum from the convex MINLP itself."""
    pytest.importorskip(module)
    instance = draw_instance("drawn", seed, n_clients=2 + seed % 2, n_subchannels=4, aggregation_ratio=0.3 * (seed % 4))
    assert_optimal(instance, 1e-3, {"subsolver": subsolver, "form": "minlp"})


def test_infeasibility_that_only_a_search_can_tell_is_proved() -> None:
    """Where each subchannel serves a client one way only, the model proves that there is no schedule."""
    result = solve(crossed_instance(), "pyomo")
    assert (result.status, result.stop_reason) == (SolutionStatus.NONE, StopReason.INFEASIBLE_PROVED)
    assert result.bound_s is None or math.isfinite(result.bound_s)
