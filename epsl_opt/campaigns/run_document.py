"""A finished run of a comparison as a file, and the key it is found by."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from epsl_opt.campaigns.store import KeyedRecord, result_key
from epsl_opt.core.errors import InputError, field_path
from epsl_opt.core.instance import Instance
from epsl_opt.core.options import Options
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.core.record import NonNegativeFloat, Record
from epsl_opt.core.results import Limits
from epsl_opt.files.documents import ScheduleDocument, check_document
from epsl_opt.files.stored_record import Digest
from epsl_opt.plugins.registry import SOLVERS
from epsl_opt.plugins.solver import Solver

_NEVER_KEPT = {StopReason.ERROR, StopReason.INTERRUPTED, StopReason.UNSUPPORTED}


class RunProvenance(Record):
    """What tables need of a run's provenance; the rest may be anything."""

    model_config = ConfigDict(extra="ignore")

    solver_kind: str = ""
    build_s: NonNegativeFloat = 0.0
    solve_s: NonNegativeFloat = 0.0
    overrun_s: NonNegativeFloat = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**64)] | None = None
    message: str = ""


class RunDocument(KeyedRecord):
    """A finished run as a file: its key and what it left behind."""

    format: Literal["epsl-opt/run"] = "epsl-opt/run"
    version: Literal[1] = 1
    key: str
    result: ScheduleDocument
    sha256: Digest = None

    versions_in = ("result", "provenance", "versions")

    @model_validator(mode="after")
    def _check_provenance(self) -> Self:
        try:
            RunProvenance.model_validate(self.result.provenance)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ValueError(f"result.provenance.{field_path(first['loc'])}: {first['msg']}") from error
        return self


def run_key(instance: Instance, solver: Solver[Any], options: Options, limits: Limits) -> str:
    """Return the SHA-256 of all that decides a run: instance, solver and its version, options, limits."""
    limit_values = asdict(limits) | {"time_s": limits.time_s if math.isfinite(limits.time_s) else None}
    asked = {
        "instance": instance.sha256,
        "solver": solver.name,
        "options": options.model_dump(mode="json"),
        "limits": limit_values,
    }
    return result_key(SOLVERS, solver.name, type(solver), asked)


def refuse_other_run(kept: RunDocument, source: str, instance: Instance) -> None:
    """Check a kept run once more.

    Raises
    ------
    InputError
        If it is on another instance, or any of its numbers is not what its decisions give.
    """
    if kept.result.instance.sha256 != instance.sha256:
        raise InputError(source, "is the file of another run", "key")
    if violations := check_document(instance, kept.result):
        raise InputError(source, str(violations[0]), "result")


def is_final(document: ScheduleDocument) -> bool:
    """Return whether a run is kept: what stopped a failed, rejected or unsupported one may be gone tomorrow."""
    return document.status is not SolutionStatus.REJECTED and document.stop_reason not in _NEVER_KEPT
