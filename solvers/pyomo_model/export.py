"""The model of one cut layer as a file for other programs: lp, mps, nl (AMPL) or gms (GAMS)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from epsl_opt.core.arrays import FloatArray
from epsl_opt.core.errors import InputError
from epsl_opt.core.feasibility import infeasibility
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.plugins.exporter import Exporter
from epsl_opt.solvers.dual.cut_bounds import CutBounds
from epsl_opt.solvers.pyomo_model.pyomo_types import Model
from epsl_opt.solvers.pyomo_model.scaled import ScaledCut, scaled_cut

LONGEST_REASON = 100


class ModelOptions(Options):
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
            _write(model, path, {"symbolic_solver_labels": True} if self.readable_names else {})
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


def _write(model: Model, path: Path, io_options: dict[str, object]) -> None:
    from pyomo.common.errors import InvalidValueError

    try:
        model.write(str(path), io_options=io_options)
    except (InvalidValueError, OverflowError) as error:
        raise InputError("export", f"a coefficient cannot be written: {_first_line(error)}", path.suffix[1:]) from error


def _is_finite(data: ScaledCut) -> bool:
    """Whether every number that goes into a model can be written; Pyomo would write `nan` for those that cannot."""
    numbers: list[float | FloatArray] = [data.unit_s, data.fixed_s, data.snr, data.full_power, data.power_limit]
    for phase in data.phases:
        numbers += [phase.unit_s, phase.head_start, phase.rate, phase.need]
    return all(bool(np.isfinite(number).all()) for number in numbers)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:LONGEST_REASON]


def _model(instance: Instance, options: ModelOptions) -> Model:
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
    if not _is_finite(data):
        raise InputError("export", f"a coefficient of cut layer {cut} is beyond all numbers and cannot be written")
    if options.form == "minlp":
        return minlp(data, unit_s=1.0)
    return OuterApproximation(data, options.tangents, unit_s=1.0).model
