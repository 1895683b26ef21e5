"""A conformance suite for solvers, ours or a stranger's (needs pytest).

from epsl_opt.testing import SolverConformance

class TestMySolver(SolverConformance):
    solver = "my-solver"
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("epsl_opt.testing.conformance")

from epsl_opt.testing.conformance import SolverConformance  # noqa: E402  rewriting must be registered first
from epsl_opt.testing.instances import crossed_instance, draw_instance, medium_instance, tiny_instances  # noqa: E402

__all__ = ["SolverConformance", "crossed_instance", "draw_instance", "medium_instance", "tiny_instances"]
