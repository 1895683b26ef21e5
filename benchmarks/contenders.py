"""The solvers of the speed comparison, by the name that tables and pictures call them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from epsl_opt import Solver
from epsl_opt.plugins.registry import load_solver


@dataclass(frozen=True)
class Contender:
    """One solver with its options; `make` imports what it needs."""

    make: Callable[[], Solver[Any]]
    about: str
    options: dict[str, Any] = field(default_factory=dict)


def _scip() -> Solver[Any]:
    from benchmarks.scip_solver import Scip

    return Scip()


def _gurobi() -> Solver[Any]:
    from benchmarks.gurobi_solver import Gurobi

    return Gurobi()


CONTENDERS = {
    "exact": Contender(lambda: load_solver("exact"), "this project's `exact`"),
    "scip-by-cut": Contender(_scip, "SCIP, one MINLP per cut layer", {"formulation": "by-cut"}),
    "scip-joint": Contender(_scip, "SCIP, one MINLP with a binary per cut layer", {"formulation": "joint"}),
    "gurobi": Contender(_gurobi, "Gurobi, one MINLP per cut layer; small models only"),
    "pyomo-milp": Contender(
        lambda: load_solver("pyomo"), "`pyomo`: outer approximation, HiGHS", {"subsolver": "highs", "form": "milp"}
    ),
    "pyomo-mindtpy": Contender(
        lambda: load_solver("pyomo"), "`pyomo`: MINLP, MindtPy with Ipopt", {"subsolver": "mindtpy", "form": "minlp"}
    ),
}
