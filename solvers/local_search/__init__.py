"""Local search over subchannel allocations and cut layers, with exact power control."""

from epsl_opt.solvers.local_search.solver import LocalSearch, LocalSearchOptions

__all__ = ["LocalSearch", "LocalSearchOptions"]
