"""The problem as an algebraic Pyomo model, a file a block, in two forms: the convex MINLP, and its outer approximation.

Pyomo itself is imported when a model is built, not here.
"""

from epsl_opt.solvers.pyomo_model.solver import PyomoSolver

__all__ = ["PyomoSolver"]
