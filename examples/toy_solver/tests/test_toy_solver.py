"""The toy solver keeps every promise that epsl-opt's own solvers keep."""

from epsl_opt.testing import SolverConformance


class TestRandomValid(SolverConformance):
    """The conformance suite."""

    solver = "random-valid"
