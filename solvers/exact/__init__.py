"""The certified optimum, by branch and bound on the Lagrangian dual."""

from epsl_opt.solvers.exact.solver import Exact

__all__ = ["Exact"]
