"""Reference tables of solvers, file formats and studies, generated from the models that read them.

`python -m docs_tools.reference` writes the tables of `docs/solvers.md`, `docs/files.md`, `docs/plan.md`,
`docs/schedules.md` and `docs/studies.md` in the working directory anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt.core.errors import InputError
from epsl_opt.files.schema import SchemaKind, json_schema
from epsl_opt.plugins import registry
from epsl_opt.plugins.option_rows import option_rows
from epsl_opt.plugins.solver import Solver, SolverKind

UNITS = {
    "_w_per_hz": "W/Hz",
    "cycles_per_s": "cycle/s",
    "cycles_per_flop": "cycle/FLOP",
    "_bps": "bit/s",
    "_bits": "bit",
    "_flops": "FLOP",
    "_hz": "Hz",
    "_w": "W",
    "_m": "m",
    "_s": "s",
}
"""End of a field's name -> unit; the first that fits counts."""

OWN_PACKAGE = "epsl_opt."
OWN_SOLVERS = "epsl_opt.solvers."


def solvers_table() -> str:
    """List the project's solvers, exact ones first."""
    rows = ((f"`{solver.name}`", solver.kind, solver.summary) for solver in own_solvers())
    return markdown_table("| solver | kind | what it does |", "|---|---|---|", rows)


def options_table() -> str:
    """List the options of the project's solvers."""
    rows = [
        (f"`{solver.name}`", f"`{row['option']}`", f"`{row['type']}`", _default(row["default"]), row["description"])
        for solver in own_solvers()
        for row in option_rows(solver.options_type)
    ]
    head = "| solver | option | type | default | meaning |"
    return markdown_table(head, "|---|---|---|---|---|", [[_escape(str(cell)) for cell in row] for row in rows])


def fields_table(kind: SchemaKind) -> str:
    """List every field of a file format with its type and unit."""
    schema = json_schema(kind)
    rows = (
        [f"`{path}`", _type(node), unit(path), _escape(_meaning(node, schema["$defs"]))]
        for path, node in fields(schema, schema["$defs"])
    )
    return markdown_table("| field | type | unit | meaning |", "|---|---|---|---|", rows)


def studies_table() -> str:
    """List the project's studies with what they ask."""
    found = [registry.load_study(name) for name in registry.names(registry.STUDIES)]
    own = [study for study in found if type(study).__module__.startswith(OWN_PACKAGE)]
    return markdown_table(
        "| study | question |", "|---|---|", ((f"`{study.name}`", _escape(study.question)) for study in own)
    )


TABLES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    Path("docs/solvers.md"): {"solvers": solvers_table, "options": options_table},
    Path("docs/files.md"): {
        "instance": lambda: fields_table("instance"),
        "training": lambda: fields_table("training"),
    },
    Path("docs/plan.md"): {"plan": lambda: fields_table("plan")},
    Path("docs/schedules.md"): {"schedule": lambda: fields_table("schedule")},
    Path("docs/studies.md"): {"studies": studies_table},
}
"""Document -> name of a marked part -> the table that belongs there."""


def own_solvers() -> list[Solver[Any]]:
    """Return the solvers of this project, exact ones first, baselines last."""
    found = [registry.load_solver(name) for name in registry.names(registry.SOLVERS)]
    own = [solver for solver in found if type(solver).__module__.startswith(OWN_SOLVERS)]
    return sorted(own, key=lambda solver: (list(SolverKind).index(solver.kind), solver.name))


def fields(node: Mapping[str, Any], records: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (path, schema) of every field of a record, the fields of records within it after it."""
    for name, field in node["properties"].items():
        path = f"{prefix}{name}"
        optional = name not in node["required"]
        yield path, field | {"optional": optional}
        inner = _record(field, records)
        if inner is not None:
            yield from fields(inner, records, f"{path}[]." if field.get("type") == "array" else f"{path}.")


def unit(path: str) -> str:
    """Return the unit that a field's name ends in, nothing if it has none."""
    name = path.rpartition(".")[2]
    return next((unit for end, unit in UNITS.items() if name.endswith(end)), "")


def _record(field: Mapping[str, Any], records: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the record that a field holds, or a list of."""
    for part in (field, field.get("items", {}), *field.get("anyOf", [])):
        if "$ref" in part:
            found: Mapping[str, Any] = records[part["$ref"].rpartition("/")[2]]
            return found
    return None


def _meaning(field: Mapping[str, Any], records: Mapping[str, Any]) -> str:
    """Return a field's description, or that of the record it holds."""
    record = _record(field, records) or {}
    return str(field.get("description") or record.get("description") or "")


def _type(node: Mapping[str, Any]) -> str:
    """Say what a field holds, in words."""
    text = _bare_type(node)
    return f"{text}, optional" if node.get("optional") and "const" not in node else text


def _bare_type(node: Mapping[str, Any]) -> str:
    if "const" in node:
        return f"`{node['const']!r}`".replace("'", '"')
    if "enum" in node:
        return ", ".join(f'`"{value}"`' for value in node["enum"])
    if "anyOf" in node:
        return ", or ".join(_bare_type(part) for part in node["anyOf"])
    if "$ref" in node:
        return "object"
    if node["type"] == "array":
        inner = _bare_type(node["items"])
        return f"list of ({inner})" if " " in inner else f"list of {inner}s"
    return f"{node['type']}{_range(node)}"


def _range(node: Mapping[str, Any]) -> str:
    if "exclusiveMinimum" in node:
        return f" > {node['exclusiveMinimum']:g}"
    if node.get("maximum") == 1:
        return f" from {node['minimum']:g} to 1"
    return f" ≥ {node['minimum']:g}" if "minimum" in node else ""


def _default(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    try:
        for document, parts in TABLES.items():
            write_marked(document, parts)
    except InputError as error:
        sys.exit(f"reference: {error}")
