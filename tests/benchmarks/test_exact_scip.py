"""`exact` against SCIP, a solver that shares nothing with it but the problem; skipped where it is not installed."""

from __future__ import annotations

from types import ModuleType

import pytest
from draws import draws
from strategies import ROUNDS, resized

from epsl_opt import Limits, SolutionStatus, StopReason, solve
from epsl_opt.testing import draw_instance

pytest.importorskip("pyscipopt")


@pytest.fixture(scope="module")
def benchmark_modules() -> dict[str, ModuleType]:
    """The benchmark's random instances and its SCIP model."""
    from benchmarks import agreement, scip_solver

    return {"agreement": agreement, "scip_solver": scip_solver}


@pytest.mark.drawn
@pytest.mark.parametrize("seed", [seed for seed in draws(8, first=1) if seed % 4])
def test_scip_finds_the_same_optimum(seed: int, benchmark_modules: dict[str, ModuleType]) -> None:
    """On small random instances SCIP and `exact` agree to 1e-6, and neither's bound is above the other's schedule."""
    instance = benchmark_modules["agreement"].random_instance(seed)
    exact = solve(instance, "exact", Limits(rel_gap=1e-9, threads=1))
    options = {"feasibility_tolerance": 1e-8}
    scip = solve(instance, benchmark_modules["scip_solver"].Scip(), Limits(time_s=20, rel_gap=1e-6), options)
    assert exact.status is SolutionStatus.VERIFIED
    assert scip.status is SolutionStatus.VERIFIED, scip.message
    if scip.stop_reason is not StopReason.TIME_LIMIT:
        assert scip.latency_s == pytest.approx(exact.latency_s, rel=1e-6)
    assert exact.bound_s is not None
    assert scip.latency_s is not None
    assert exact.latency_s is not None
    assert exact.bound_s <= scip.latency_s
    assert scip.bound_s is None or scip.bound_s <= exact.latency_s * (1 + 1e-6)


@pytest.mark.drawn
@pytest.mark.parametrize("formulation", ["joint", "by-cut"])
@pytest.mark.parametrize("seed", draws(3))
def test_scip_finds_the_enumerated_optimum_of_any_round(
    seed: int, formulation: str, benchmark_modules: dict[str, ModuleType]
) -> None:
    """Whichever framework's round it is, SCIP's schedule is within its gap of the enumerated one, its bound below."""
    drawn = draw_instance("drawn", seed, n_clients=2, n_subchannels=3)
    instance = drawn.replace(model=resized(drawn, (0.1, 1.0, 10.0)[seed % 3])).with_training(**ROUNDS[1 + seed % 5])
    best_s = solve(instance, "brute-force").latency_s
    options = {"formulation": formulation}
    scip = solve(instance, benchmark_modules["scip_solver"].Scip(), Limits(time_s=20, rel_gap=1e-4), options)
    assert best_s is not None
    assert scip.latency_s is not None
    assert scip.bound_s is not None
    assert best_s * (1 - 1e-9) <= scip.latency_s <= best_s * 1.0002
    assert scip.bound_s <= best_s * (1 + 1e-9)
