"""Finished runs on disk, so that a campaign can be stopped and resumed."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, model_validator

from epsl_opt.core.distribution import version
from epsl_opt.core.errors import InputError, field_path
from epsl_opt.core.instance import Instance
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.core.record import NonNegativeFloat, Record
from epsl_opt.core.results import Limits
from epsl_opt.files.documents import ScheduleDocument, check_document
from epsl_opt.files.json_files import prepare_folder, write_record
from epsl_opt.files.stored_record import Digest, StoredRecord, load_stored
from epsl_opt.plugins.registry import SOLVERS, plugin_version
from epsl_opt.plugins.solver import Solver, SolverOptions

log = logging.getLogger(__name__)

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


class RunDocument(StoredRecord):
    """A finished run as a file: its key and what it left behind."""

    format: Literal["epsl-opt/run"] = "epsl-opt/run"
    version: Literal[1] = 1
    key: str
    result: ScheduleDocument
    sha256: Digest = None

    @model_validator(mode="after")
    def _check_provenance(self) -> Self:
        try:
            RunProvenance.model_validate(self.result.provenance)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ValueError(f"result.provenance.{field_path(first['loc'])}: {first['msg']}") from error
        return self


def run_key(instance: Instance, solver: Solver[Any], options: SolverOptions, limits: Limits) -> str:
    """Return the SHA-256 of all that decides a run: instance, solver and its version, options, limits."""
    limit_values = asdict(limits) | {"time_s": limits.time_s if math.isfinite(limits.time_s) else None}
    parts = {
        "instance": instance.sha256,
        "solver": solver.name,
        "class": f"{type(solver).__module__}.{type(solver).__qualname__}",
        "versions": [version("epsl-opt"), plugin_version(SOLVERS, solver.name)],
        "options": options.model_dump(mode="json"),
        "limits": limit_values,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class RunStore:
    """A folder with one JSON file per finished run.

    Runs that failed, were interrupted, rejected or not supported are never kept: what stopped them may be gone
    tomorrow.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder and try that it can be written to.

        Raises
        ------
        InputError
            If not.
        """
        prepare_folder(self.folder)

    def load(self, key: str, instance: Instance) -> ScheduleDocument | None:
        """Return the run kept under `key`, checked again against `instance`; None, with a warning, if it is damaged."""
        path = self._path(key)
        kept = load_stored(
            RunDocument, path, lambda found: _refuse_foreign(path, found, key, instance), "running it again"
        )
        return None if kept is None else kept.result

    def save(self, key: str, document: ScheduleDocument) -> None:
        """Keep a run, if it is one that is worth keeping; where that fails, it is told, and the campaign goes on."""
        if document.status is SolutionStatus.REJECTED or document.stop_reason in _NEVER_KEPT:
            return
        try:
            prepare_folder(self.folder)
            write_record(self._path(key), RunDocument(key=key, result=document).sealed())
        except InputError as error:
            log.warning("%s; this run is not kept", error)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _refuse_foreign(path: Path, kept: RunDocument, key: str, instance: Instance) -> None:
    if kept.key != key or kept.result.instance.sha256 != instance.sha256:
        raise InputError(str(path), "is the file of another run", "key")
    if violations := check_document(instance, kept.result):
        raise InputError(str(path), str(violations[0]), "result")
