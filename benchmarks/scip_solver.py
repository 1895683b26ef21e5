"""SCIP behind the project's solver interface, so that clock, schedules and gaps are judged like everybody's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field
from pyscipopt import SCIP_EVENTTYPE, Eventhdlr

from benchmarks.minlp_data import MinlpData, offer_rounded, promising_first
from benchmarks.scip_model import ScipModel
from epsl_opt import Instance, Options, SolveMonitor, Solver, SolverKind, StopReason
from epsl_opt.core.latency import CutCosts
from epsl_opt.solvers.primal.cuts import bound_without_radio_s, feasible_cuts

TRUST = 1e-6
"""SCIP's bounds hold up to its tolerances; they are lowered by this part."""


class ScipOptions(Options):
    """Options of the SCIP models."""

    formulation: Literal["joint", "by-cut"] = Field(
        default="joint", description="one model with a binary per cut layer, or a model per cut layer"
    )
    feasibility_tolerance: float = Field(default=1e-6, gt=0, description="SCIP's numerics/feastol")


class Scip(Solver[ScipOptions]):
    """SCIP on the convex MINLP, on one thread.

    By cut layer: all are bounded at the root first; those that can still win are then solved, least bound first.
    """

    name = "scip"
    summary = "SCIP on the convex MINLP"
    kind = SolverKind.EXACT
    options_type = ScipOptions

    def solve(self, instance: Instance, options: ScipOptions, monitor: SolveMonitor) -> StopReason:
        """Solve to the gap asked for, or until the time limit."""
        run = _Run(feasible_cuts(instance), options, monitor)
        if options.formulation == "joint":
            run.advance(run.joint_model(), list(run.cuts))
        else:
            run.by_cut()
        if monitor.gap_reached:
            return StopReason.GAP_REACHED
        if monitor.incumbent is None and not run.open_cuts():
            return StopReason.INFEASIBLE_PROVED
        return StopReason.TIME_LIMIT if monitor.out_of_time else StopReason.COMPLETED


class _Run:
    """One run: a bound for each cut layer."""

    def __init__(self, cuts: Mapping[int, CutCosts], options: ScipOptions, monitor: SolveMonitor) -> None:
        self.cuts, self._options, self._monitor = cuts, options, monitor
        self._bound_s = {j: bound_without_radio_s(costs) for j, costs in cuts.items()}
        self._data = {j: MinlpData.of(monitor.instance, {j: costs}) for j, costs in cuts.items()}

    def joint_model(self) -> ScipModel:
        """All cut layers in one model."""
        return ScipModel(MinlpData.of(self._monitor.instance, self.cuts))

    def open_cuts(self) -> list[int]:
        """Cut layers that may hold something better than the incumbent, least bound first."""
        cutoff_s = self._monitor.latency_s * (1 - self._monitor.limits.rel_gap)
        return sorted((j for j, bound in self._bound_s.items() if bound < cutoff_s), key=self._bound_s.__getitem__)

    def by_cut(self) -> None:
        """Bound every cut layer at its root, the most promising first, then solve the open ones in turn."""
        models: dict[int, ScipModel] = {}
        for j in promising_first(self._monitor.instance, self.cuts):
            if self._monitor.out_of_time:
                return
            models[j] = ScipModel(self._data[j])
            self.advance(models[j], [j], nodes=1)
        done: set[int] = set()
        while open_ := [j for j in self.open_cuts() if j not in done]:
            if self._monitor.out_of_time or self._monitor.gap_reached:
                return
            self.advance(models[open_[0]], open_[:1])
            done.add(open_[0])

    def advance(self, model: ScipModel, cuts: list[int], nodes: int = -1) -> None:
        """Let SCIP go on with a model of these cut layers."""
        scip = model.model
        handler = _Reporter(lambda: self._report(model, cuts))
        if scip.getStageName() == "PROBLEM":
            scip.includeEventhdlr(handler, f"report {cuts}", "incumbent and bound over time")
        scip.setParams(self._parameters(scip.getSolvingTime(), nodes))
        scip.optimize()
        self._report(model, cuts)

    def _parameters(self, spent_s: float, nodes: int) -> dict[str, Any]:
        limits = self._monitor.limits
        cutoff_s = self._monitor.latency_s * (1 - 0.5 * limits.rel_gap)
        return {
            "limits/time": spent_s + self._monitor.remaining_s,
            "limits/gap": 0.5 * limits.rel_gap,
            "limits/totalnodes": nodes,
            "limits/dual": cutoff_s if math.isfinite(cutoff_s) else 1e20,
            "numerics/feastol": self._options.feasibility_tolerance,
            "misc/catchctrlc": False,
        }

    def _report(self, model: ScipModel, cuts: list[int]) -> None:
        """Hand the best solution and the bound of SCIP to the monitor."""
        scip, monitor = model.model, self._monitor
        if scip.getNSols() > 0 and scip.getPrimalbound() < monitor.latency_s * (1 + TRUST):
            cut, fraction = model.allocation()
            offer_rounded(monitor, self.cuts, cut, fraction)
        bound_s = math.inf if scip.getStatus() == "infeasible" else scip.getDualbound() * (1 - TRUST)
        for j in cuts:
            self._bound_s[j] = max(self._bound_s[j], bound_s if abs(bound_s) < 1e19 or bound_s > 0 else 0.0)
        if math.isfinite(least_s := min(self._bound_s.values())):
            monitor.prove(least_s)


class _Reporter(Eventhdlr):
    """Calls back at every new incumbent, node and linear program."""

    def __init__(self, report: Callable[[], None]) -> None:
        self._report = report

    def eventinit(self) -> None:
        self._listen(self.model.catchEvent)

    def eventexit(self) -> None:
        self._listen(self.model.dropEvent)

    def eventexec(self, event: Any) -> None:
        self._report()

    def _listen(self, change: Callable[[int, Eventhdlr], None]) -> None:
        for kind in (SCIP_EVENTTYPE.BESTSOLFOUND, SCIP_EVENTTYPE.NODESOLVED, SCIP_EVENTTYPE.LPSOLVED):
            change(kind, self)
