"""The cut layers a solver has to look at, with their costs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from epsl_opt.core.feasibility import cut_infeasibility
from epsl_opt.core.framework import Framework
from epsl_opt.core.framework_costs import cut_costs
from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts
from epsl_opt.plugins.monitor import SolveMonitor

UNCUT = (Framework.FL, Framework.CENTRALISED)
"""Frameworks whose rounds take the same wherever the network is cut."""


def feasible_cuts(instance: Instance) -> dict[int, CutCosts]:
    """Return the costs of every cut layer at which a schedule may exist, by index; one where all are the same."""
    costs = {j: cut_costs(instance, j) for j in range(instance.n_cut_layers)}
    feasible = {j: cost for j, cost in costs.items() if cut_infeasibility(instance, j, cost) is None}
    return dict(itertools.islice(feasible.items(), 1)) if instance.training.framework in UNCUT else feasible


def bound_without_radio_s(costs: CutCosts) -> float:
    """What computing and the broadcast take alone."""
    return costs.shared_s + float(costs.client_forward_s.max() + costs.client_backward_s.max())


def promising_cuts(cuts: Mapping[int, CutCosts], monitor: SolveMonitor) -> Iterator[int]:
    """Yield the cut layers at which a schedule may still beat the monitor's incumbent.

    Those that take least without the radio come first, so that what they offer rules out many others.
    """
    bound_s = {cut: bound_without_radio_s(costs) for cut, costs in cuts.items()}
    for cut in sorted(cuts, key=bound_s.__getitem__):
        if bound_s[cut] < monitor.latency_s:
            yield cut
