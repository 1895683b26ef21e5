"""The conic solver's values count only where there is a solution behind them."""

from __future__ import annotations

import cvxpy as cp

from epsl_opt import Limits, StopReason, load_instance, solve
from epsl_opt.solvers.convex.conic import solve_conic


def test_t1_values_shown_at_a_limit_are_no_solution() -> None:
    """Trap T1: a conic solve stopped at its limit shows values, and is still reported as having no solution."""
    limited, free = _program(), _program()
    assert not solve_conic(limited, settings={"max_iter": 1})
    assert limited.value is not None
    assert solve_conic(free)


def _program() -> cp.Problem:
    x = cp.Variable(50)
    return cp.Problem(cp.Minimize(cp.sum(cp.exp(x)) + cp.norm(x, 2)), [x >= 1])


def test_t1_a_relaxation_out_of_time_proves_nothing_false() -> None:
    """Trap T1: with next to no time, `convex` ends at the limit with a bound below the true one, if any."""
    instance = load_instance("paper:clients=20,subchannels=80")
    hurried, calm = solve(instance, "convex", Limits(time_s=1e-3)), solve(instance, "convex")
    assert hurried.stop_reason is StopReason.TIME_LIMIT
    assert calm.bound_s is not None
    assert hurried.bound_s is not None
    assert hurried.bound_s <= calm.bound_s


def test_the_time_left_is_asked_when_the_program_is_built() -> None:
    """What building takes is not granted once more: the time left is asked once CVXPY has the program's data."""
    program = _program()
    built: list[bool] = []

    def time_left_s() -> float:
        built.append(bool(program._cache.param_prog))
        return 60.0

    assert solve_conic(program, time_left_s=time_left_s)
    assert built == [True]
