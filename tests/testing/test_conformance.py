"""Every solver that is registered passes the conformance suite that strangers are given."""

from __future__ import annotations

import pytest

from epsl_opt.plugins import registry
from epsl_opt.testing import SolverConformance


@pytest.fixture(autouse=True, params=registry.names(registry.SOLVERS), scope="class")
def solver_name(request: pytest.FixtureRequest) -> None:
    """Run the class once for each solver."""
    request.cls.solver = request.param


class TestEverySolver(SolverConformance):
    """The suite, for whatever is installed."""

    time_limit_s = 4.0
