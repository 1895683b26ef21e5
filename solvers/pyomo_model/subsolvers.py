"""Which solvers Pyomo can use here, and how to install one that is not; nothing heavy is imported to find out."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

MILP, MINLP = "milp", "minlp"


@dataclass(frozen=True)
class Subsolver:
    """One solver that Pyomo knows.

    Parameters
    ----------
    name
        What the option `subsolver` takes.
    interface
        Name in Pyomo's `SolverFactory` for each form it takes; those in `DIRECT` are of Pyomo's new kind.
    install
        How to get it.
    module, program
        The Python package, or the program on PATH, that it needs.
    settings
        Its own options that make it precise; the value "seed" stands for the seed and "gap" for the gap.
    tolerance
        How far a constraint, whole number or reduced cost may be off under these settings.
    """

    name: str
    interface: Mapping[str, str]
    install: str
    module: str | None = None
    program: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    tolerance: float = 1e-6

    @property
    def found(self) -> bool:
        """Whether what it needs is installed (a license is another matter)."""
        if self.module is not None:
            return find_spec(self.module) is not None
        return self.program is not None and shutil.which(self.program) is not None


@dataclass(frozen=True)
class Availability:
    """Whether a subsolver is there, the forms it takes, and how to install it if not."""

    name: str
    found: bool
    forms: tuple[str, ...]
    install: str


DIRECT = {"highs", "scip_direct", "gurobi_direct", "gurobi_direct_minlp"}

HIGHS = {
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "random_seed": "seed",
}
SCIP = {"numerics/feastol": 1e-9, "numerics/dualfeastol": 1e-9, "randomization/randomseedshift": "seed"}
GUROBI = {"FeasibilityTol": 1e-9, "OptimalityTol": 1e-9, "IntFeasTol": 1e-9, "Seed": "seed"}
CBC = {"ratioGap": "gap", "primalT": 1e-9, "dualT": 1e-9, "integerT": 1e-9, "randomCbcSeed": "seed"}


def _program(name: str, forms: tuple[str, ...], install: str) -> Subsolver:
    return Subsolver(name, dict.fromkeys(forms, name), install, program=name)


SUBSOLVERS = {
    subsolver.name: subsolver
    for subsolver in (
        Subsolver("highs", {MILP: "highs"}, "pip install highspy", "highspy", settings=HIGHS, tolerance=1e-9),
        Subsolver(
            "scip",
            {MILP: "scip_direct", MINLP: "scip_direct"},
            "pip install pyscipopt",
            "pyscipopt",
            settings=SCIP,
            tolerance=1e-9,
        ),
        Subsolver(
            "gurobi",
            {MILP: "gurobi_direct", MINLP: "gurobi_direct_minlp"},
            "pip install gurobipy (needs a license above 2000 variables or constraints)",
            "gurobipy",
            settings=GUROBI,
            tolerance=1e-9,
        ),
        Subsolver(
            "mindtpy",
            {MINLP: "mindtpy"},
            "comes with Pyomo; needs the NLP solver Ipopt: conda install -c conda-forge ipopt",
            program="ipopt",
        ),
        Subsolver(
            "cbc",
            {MILP: "cbc"},
            "conda install -c conda-forge coin-or-cbc, or apt install coinor-cbc",
            program="cbc",
            settings=CBC,
            tolerance=1e-9,
        ),
        Subsolver("glpk", {MILP: "glpk"}, "apt install glpk-utils, or conda install glpk", program="glpsol"),
        _program("bonmin", (MINLP,), "conda install -c conda-forge coinbonmin, or get it from ampl.com"),
        _program("couenne", (MINLP,), "get it from ampl.com or coin-or.org"),
        _program("baron", (MINLP,), "needs a license: https://minlp.com"),
    )
}


def available_subsolvers() -> list[Availability]:
    """Return every subsolver this solver knows how to use, found or not."""
    return [Availability(s.name, s.found, tuple(s.interface), s.install) for s in SUBSOLVERS.values()]


def unusable(name: str, form: str) -> str | None:
    """Return in one line why a subsolver can't solve a form here, or None if it can."""
    from epsl_opt.core.options import unknown

    subsolver = SUBSOLVERS.get(name)
    if subsolver is None:
        return f"subsolver: {unknown(name, list(SUBSOLVERS))}"
    if form not in subsolver.interface:
        takes = [other.name for other in SUBSOLVERS.values() if form in other.interface]
        return f"subsolver {name!r} does not take form={form}; these do: {', '.join(takes)}"
    if not subsolver.found:
        return f"subsolver {name!r} is not installed: {subsolver.install}"
    return None
