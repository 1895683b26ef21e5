"""The bound from prices per client and count: below every schedule, above the relaxation it starts from."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import instances_of_any_round, instances_with_schedules

from epsl_opt import Instance, Schedule, load_instance, solve
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.latency import downlink_rates_bps, uplink_rates_bps
from epsl_opt.solvers.dual.count_bound import CountBound
from epsl_opt.solvers.dual.count_classes import CountClasses
from epsl_opt.solvers.dual.count_iterate import CountIterate, Limited, starting_iterate
from epsl_opt.solvers.dual.count_model import OWN, CountModel, Shared, Units
from epsl_opt.solvers.dual.count_phases import Phases
from epsl_opt.solvers.dual.count_proof import CountProof
from epsl_opt.solvers.dual.count_step import CountStep
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.exact import count_rounds
from epsl_opt.solvers.exact.count_rounds import bounds_counts

ROUNDING = 1e-9


def _never() -> bool:
    return False


def _bounds(instance: Instance) -> CutBounds:
    bounds = CutBounds(instance)
    for cut in bounds.problem:
        bounds.refine(cut, stop=_never)
    return bounds


@given(instances_of_any_round(max_subchannels=6))
def test_the_bound_lies_between_the_relaxation_and_the_optimum(instance: Instance) -> None:
    """Raised as far as it goes at every cut layer, the bound is never above the optimum nor below the Lagrangian's."""
    optimum = solve(instance, "brute-force").latency_s
    assert optimum is not None
    bounds, raised = _bounds(instance), []
    for cut, problem in bounds.problem.items():
        raised.append(bounds.bound_s[cut])
        if bounds_counts(problem):
            bound = CountBound(problem, bounds.solution[cut], bounds.bound_s[cut])
            while not bound.exhausted and bound.bound_s < 1.5 * optimum:
                bound.raise_towards(1.5 * optimum)
            assert bound.bound_s >= bounds.bound_s[cut]
            raised[-1] = bound.bound_s
    assert min(raised) <= optimum * (1 + ROUNDING)


@given(instances_with_schedules(any_round=True), st.integers(0, 2**32 - 1), st.floats(-3, 3))
@np.errstate(all="ignore")  # as within `CountBound`: prices beyond the range of numbers rule nothing out
def test_no_prices_rule_out_a_schedule(case: tuple[Instance, Schedule], seed: int, magnitude: float) -> None:
    """Whatever the prices, the phase ends of a feasible schedule are not ruled out, nor are any later ones."""
    instance, schedule = case
    costs = cut_costs(instance, schedule.cut_layer)
    bounds = CutBounds(instance)
    problem = bounds.problem.get(schedule.cut_layer)
    if problem is None or not bounds_counts(problem):
        return
    prices = bounds.refine(schedule.cut_layer, stop=_never).prices
    phases, random = Phases(problem, prices), np.random.default_rng(seed)
    everything = problem.everything()
    counts = np.bincount(schedule.subchannel_client[schedule.subchannel_client >= 0], minlength=instance.n_clients)
    classes = CountClasses.around(np.maximum(counts, 1), everything.least[0], everything.most[0], 4)
    model = CountModel(problem, classes, Units.of(problem, prices))
    proof = CountProof(model, phases.head_start_s)
    everyone = np.arange(len(classes.client))
    for _ in range(3):
        own = 10 ** (magnitude + random.normal(size=(len(everyone), OWN)))
        proof.add_own(everyone, own, phases.priced_traffic(model, own, random.uniform(size=instance.n_clients)))
    shared = Shared(10 ** random.normal(size=instance.n_subchannels), float(10 ** random.normal()))
    proof.add_shared(shared, phases.waits_s)
    up, down = uplink_rates_bps(instance, schedule), downlink_rates_bps(instance, schedule)
    ends = {
        "uplink": (costs.client_forward_s, costs.uplink_bits, up),
        "downlink": (costs.client_backward_s, costs.downlink_bits, down),
        "exchange": (np.zeros_like(up), costs.exchange_bits, up),
    }
    with np.errstate(divide="ignore"):
        waits = np.array([_wait_s(*ends[kind]) for kind in phases.kinds])
    if np.isfinite(waits).all() and (waits > 1e-6 * bounds.radio_s(schedule.cut_layer)).all():
        assert (proof.ruled_out(np.array([waits, 2 * waits]) * (1 + 1e-7)) <= 0).all()


def _wait_s(ready_s: np.ndarray, bits: float, rate_bps: np.ndarray) -> float:
    """How long a phase goes on after the last client is ready for it."""
    slack_s = ready_s - ready_s.max() + bits / rate_bps
    return float(slack_s.max())


@given(st.integers(1, 9), st.integers(0, 12), st.integers(-2, 14), st.integers(2, 7))
def test_classes_cover_every_count_once(least: int, more: int, count: int, n_classes: int) -> None:
    """The classes of a client are disjoint, ascend, and hold every count that it may have."""
    made = CountClasses.around(np.array([count]), np.array([least]), np.array([least + more]), n_classes)
    held = [n for low, high in zip(made.least, made.most, strict=True) for n in range(low, high + 1)]
    assert held == list(range(least, least + more + 1))
    assert len(made.client) <= n_classes


@pytest.mark.parametrize("options", ["", ",fading=rayleigh", ",server_cycles_per_s=1e12"])
def test_a_step_solves_the_linearised_conditions(options: str) -> None:
    """Along the Newton direction every optimality condition is missed less, in proportion to how far one goes."""
    instance = load_instance(f"paper:seed=3{options}").with_training(aggregation_ratio=0.5)
    bounds = CutBounds(instance)
    root = bounds.refine(bounds.first, stop=_never)
    problem = bounds.problem[bounds.first]
    phases, units = Phases(problem, root.prices), Units.of(problem, root.prices)
    everything = problem.everything()
    counts = np.round(root.allocation[0].sum(axis=1)).astype(np.intp)
    model = CountModel(problem, CountClasses.around(counts, everything.least[0], everything.most[0], 4), units)
    needs, client = phases.needs(phases.waits_s), model.classes.client
    limits = model.limits(needs.rate, needs.downlink)
    share = 1.0 / np.bincount(client)[client]
    shared = Shared(np.ones(instance.n_subchannels), 0.5)
    at = starting_iterate(model, phases.own_prices(units, client), shared, share, limits, 0.3)
    step = CountStep(model, limits, at, 1e-4)
    direction = step.newton()
    ahead = 1e-6
    before = _missed(step, at, model)
    after = _missed(CountStep(model, limits, nearer := at.moved(direction, ahead, ahead), 1e-4), nearer, model)
    for condition, missed in before.items():
        size = 1.0 + np.abs(missed).max()
        assert np.allclose(after[condition], (1 - ahead) * missed, atol=1e-3 * ahead * size), condition


def _missed(step: CountStep, at: CountIterate, model: CountModel) -> dict[str, np.ndarray]:
    held = at.held.sum(axis=0)
    products = {f"pair {n}": value * price for n, (value, price) in enumerate(Limited.of(model).pairs(at))}
    return products | step.missed() | {"subchannels": at.scale - held}


@given(instances_of_any_round(max_subchannels=6))
def test_exact_stays_exact_with_rounds_of_counts_from_the_start(instance: Instance) -> None:
    """With prices per count before any branching `exact` proves the enumerated optimum."""
    optimum = solve(instance, "brute-force").latency_s
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(count_rounds, "HEAD_START", -math.inf)
        result = solve(instance, "exact")
    assert optimum is not None
    assert result.latency_s is not None
    assert result.bound_s is not None
    assert result.latency_s == pytest.approx(optimum, rel=2e-4)
    assert result.bound_s <= optimum * (1 + ROUNDING)


@pytest.mark.parametrize("name", ["wide-c20-m80", "wide-c20-m80-rayleigh"])
def test_twenty_clients_are_bounded_closely(name: str) -> None:
    """The bound comes within 2e-4 of a schedule proved to 1e-4, where the Lagrangian's stays farther off than that."""
    instance = load_instance(name)
    known = solve(instance, "exact").latency_s
    assert known is not None
    bounds = CutBounds(instance)
    while (cut := bounds.next_cut(known)) is not None:
        bounds.refine(cut, stop=_never, cutoff_s=known)
    cut = min(bounds.bound_s, key=bounds.bound_s.__getitem__)
    root_s = bounds.bound_s[cut]
    bound = CountBound(bounds.problem[cut], bounds.solution[cut], root_s)
    while not bound.exhausted and bound.bound_s < (1 - 9e-5) * known:
        bound.raise_towards((1 - 9e-5) * known)
    assert known - bound.bound_s < 2e-4 * known
    assert known - root_s > 3e-4 * known
