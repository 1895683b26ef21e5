"""The convex relaxation: a certified lower bound and a rounded schedule."""

from epsl_opt.solvers.convex.solver import Convex

__all__ = ["Convex"]
