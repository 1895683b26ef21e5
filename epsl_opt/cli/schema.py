"""`epsl-opt schema`: the file formats, for programs."""

from __future__ import annotations

from typing import Literal

import click

from epsl_opt.cli.output import emit_json


@click.command()
@click.argument("kind", type=click.Choice(["instance", "schedule", "training"]))
def command(kind: Literal["instance", "schedule", "training"]) -> int:
    """Print the JSON Schema of a file format.

    Whatever this package reads is valid against it (JSON Schema 2020-12).

    \b
    Examples:
      epsl-opt schema instance > instance.schema.json
      epsl-opt schema schedule | python -m json.tool
    """
    from epsl_opt.files.schema import json_schema

    emit_json(json_schema(kind))
    return 0
