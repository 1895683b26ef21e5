"""The model of one cut layer as a file for other programs: lp, mps, nl (AMPL) or gms (GAMS)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Literal

from pydantic import Field

from epsl_opt.errors import InputError
from epsl_opt.exporter import Exporter, ExporterOptions
from epsl_opt.feasibility import infeasibility
from epsl_opt.instance import Instance
from epsl_opt.solvers.cut_bounds import CutBounds
from epsl_opt.solvers.pyomo_model.scaled import scaled_cut


class ModelOptions(ExporterOptions):
    """Options of lp and mps, which hold linear models only."""

    form: Literal["milp", "minlp"] = Field(default="milp", description="outer-approximated MILP, or the convex MINLP")
    cut: int | None = Field(default=None, ge=0, description="cut layer, from 0; by default where greedy does best")
    tangents: int = Field(default=8, ge=1, le=10_000, description="milp: tangents of each curve")


class NonlinearOptions(ModelOptions):
    """Options of nl and gms."""

    form: Literal["milp", "minlp"] = Field(default="minlp", description="the convex MINLP, or outer-approximated MILP")


class _ModelFile(Exporter[ModelOptions]):
    """Pyomo's writer for one format."""

    options_type = ModelOptions
    suffix: ClassVar[str]
    linear_only: ClassVar[bool] = True
    readable_names: ClassVar[bool] = True

    def export(self, instance: Instance, options: ModelOptions) -> bytes:
        """Return the model's file; its objective is the round latency in seconds."""
        if self.linear_only and options.form == "minlp":
            raise InputError(f"export --to {self.suffix}", "cannot hold the nonlinear minlp; use nl or gms", "form")
        model = _model(instance, options)
        with TemporaryDirectory() as folder:
            path = Path(folder, f"model.{self.suffix}")
            model.write(str(path), io_options={"symbolic_solver_labels": True} if self.readable_names else {})
            return path.read_bytes()


class Lp(_ModelFile):
    """CPLEX's LP format."""

    suffix = "lp"


class Mps(_ModelFile):
    """Free MPS."""

    suffix = "mps"


class Nl(_ModelFile):
    """AMPL's nl format, which names nothing."""

    suffix = "nl"
    options_type = NonlinearOptions
    linear_only = False
    readable_names = False


class Gms(_ModelFile):
    """A GAMS program."""

    suffix = "gms"
    options_type = NonlinearOptions
    linear_only = False


def _model(instance: Instance, options: ModelOptions) -> Any:
    """The model of the cut layer asked for, its objective in seconds."""
    from epsl_opt.solvers.pyomo_model.model import minlp
    from epsl_opt.solvers.pyomo_model.tangents import OuterApproximation

    if reason := infeasibility(instance):
        raise InputError(instance.name, reason)
    bounds = CutBounds(instance)
    cut = bounds.first if options.cut is None else options.cut
    if cut not in bounds.problem:
        raise InputError("export", f"must be one of {', '.join(map(str, bounds.problem))}, got {cut}", "cut")
    data = scaled_cut(instance, cut)
    if options.form == "minlp":
        return minlp(data, unit_s=1.0)
    return OuterApproximation(data, options.tangents, unit_s=1.0).model
