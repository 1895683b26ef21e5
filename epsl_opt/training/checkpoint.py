"""What the core keeps in a checkpoint, and how a run is taken back to one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from epsl_opt.core.errors import InputError
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.json_text import parse_json
from epsl_opt.core.record import AsTuple, NonNegativeFloat, Record
from epsl_opt.files.training_document import PlanReference, refuse_differences
from epsl_opt.files.training_records import RoundRecord, check_order
from epsl_opt.training.run import TrainingRun


class CheckpointMetadata(Record):
    """What the core keeps in a checkpoint beside the backend's own state."""

    format: Literal["epsl-opt/checkpoint"] = "epsl-opt/checkpoint"
    version: Literal[1] = 1
    plan: PlanReference
    real_time_s: NonNegativeFloat
    records: Annotated[tuple[RoundRecord, ...], AsTuple]


def checkpoint_metadata(run: TrainingRun) -> str:
    """Return the metadata of a checkpoint of the run, as JSON."""
    metadata = CheckpointMetadata(
        plan=run.setup.reference,
        real_time_s=run.real_time_s,
        records=tuple(run.records),
    )
    return json.dumps(metadata.to_document(), allow_nan=False)


def restore_checkpoint(path: Path, run: TrainingRun) -> None:
    """Take a run to where a checkpoint left it.

    Raises
    ------
    InputError
        If the checkpoint is damaged or of another training.
    """
    source = str(path)
    try:
        text = run.session.restore(path.read_bytes())
    except InputError as error:
        raise InputError(source, error.problem, error.field) from error
    except Exception as error:  # whatever a backend raises over bytes it can't read
        raise InputError(source, f"is damaged: {error}") from error
    metadata = parse_record(CheckpointMetadata, parse_json(text, source), source)
    refuse_differences(path, metadata.plan.differences(run.setup.reference))
    check_order(metadata.records, source)
    run.records, run.real_time_s = list(metadata.records), metadata.real_time_s
