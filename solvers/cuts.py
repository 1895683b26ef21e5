"""The cut layers a solver has to look at, with their costs."""

from __future__ import annotations

from epsl_opt.feasibility import cut_infeasibility
from epsl_opt.instance import Instance
from epsl_opt.latency import CutCosts, cut_costs


def feasible_cuts(instance: Instance) -> dict[int, CutCosts]:
    """Return the costs of every cut layer at which a schedule may exist, by index."""
    costs = {j: cut_costs(instance, j) for j in range(instance.n_cut_layers)}
    return {j: cost for j, cost in costs.items() if cut_infeasibility(instance, j, cost) is None}
