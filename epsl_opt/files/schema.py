"""The published JSON Schemas of the file formats, generated from the records that read them.

`python -m epsl_opt.files.schema` writes the copies in `epsl_opt/files/schemas/` anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

from epsl_opt.core.instance import Instance
from epsl_opt.core.json_text import format_json
from epsl_opt.core.record import Record
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.plan_document import PlanDocument
from epsl_opt.files.training_document import TrainingDocument
from epsl_opt.files.writing import write_bytes

SchemaKind = Literal["instance", "schedule", "training", "plan"]
KINDS: tuple[SchemaKind, ...] = get_args(SchemaKind)
DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "schemas"

_RECORDS: dict[SchemaKind, type[Record]] = {
    "instance": Instance,
    "schedule": ScheduleDocument,
    "training": TrainingDocument,
    "plan": PlanDocument,
}


def json_schema(kind: SchemaKind) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a file format.

    Every file that this package reads is valid against it. The reverse does not hold: a schema can't say that arrays
    fit each other, or that a key comes once.
    """
    record = _RECORDS[kind]
    version = record.model_fields["version"].default
    head = {"$schema": DIALECT, "$id": f"urn:epsl-opt:{kind}:{version}"}
    body = record.model_json_schema() | {"title": f"epsl-opt {kind}, version {version}"}
    body["required"] = ["format", "version", *body["required"]]
    return head | body


def schema_path(kind: SchemaKind) -> Path:
    """Return where the committed copy of a schema is."""
    return FOLDER / f"{kind}.schema.json"


def write_schemas() -> None:
    """Write the committed copies anew."""
    for kind in KINDS:
        write_bytes(schema_path(kind), format_json(json_schema(kind)).encode())


if __name__ == "__main__":
    write_schemas()
