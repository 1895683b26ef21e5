"""`epsl-opt info`: what this installation consists of."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from epsl_opt.cli.output import emit_csv, emit_json, emit_tables, facts
from epsl_opt.cli.params import format_option

_PACKAGES = ("click", "rich", "pydantic", "matplotlib")
_OPTIONAL = (
    "torch",
    "torchvision",
    "safetensors",
    "distributed",
    "scikit-learn",
    "pyarrow",
    "flwr",
    "gurobipy",
    "Mosek",
    "PySCIPOpt",
    "scs",
    "ecos",
)


@click.command()
@format_option("table", "json", "csv")
def command(form: str) -> int:
    """Show versions, processor and optional packages.

    Put its output into a bug report.

    \b
    Examples:
      epsl-opt info
      epsl-opt info --format json
    """
    found = _collect()
    if form == "json":
        emit_json(found)
        return 0
    pairs = [(name, str(value)) for group in found.values() for name, value in group.items()]
    if form == "csv":
        emit_csv(("name", "value"), [{"name": name, "value": value} for name, value in pairs])
    else:
        emit_tables(*(facts(title, _texts(group)) for title, group in found.items()))
    return 0


def _collect() -> dict[str, Mapping[str, str | int | None]]:
    from epsl_opt.solving.provenance import cpu, versions

    return {
        "versions": {**dict(versions()), **{package: _version(package) for package in _PACKAGES}},
        "optional packages": {package: _version(package) for package in _OPTIONAL},
        "machine": {"cpu": cpu(), "threads": os.cpu_count()},
    }


def _texts(group: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, "not installed" if value is None else str(value)) for name, value in group.items()]


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError

    from epsl_opt.core.distribution import version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
