"""Means over draws at every setting of the resource study: what the figures show and the findings look through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from epsl_opt.plugins.study import Cell, Row
from epsl_opt.studies.resource_management.parameters import AS_PUBLISHED, PARAMETERS, Parameter
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.rows import BySeed, by_seed, columns, geometric_mean, mean
from epsl_opt.studies.shared.solver_runs import SOLVERS

FLOOR = "floor"
"""Stands among the solvers for the certified bound."""

Setting = tuple[str, float | None]


def settings_of(rows: Sequence[Row]) -> list[Setting]:
    """Return the settings that were run, in their order."""
    found = {(str(row["parameter"]), None if row["value"] is None else float(row["value"])): None for row in rows}
    return list(found)


def setting_text(setting: Setting) -> str:
    """Return a setting in words."""
    parameter, value = setting
    return "the paper's setting" if value is None else f"{parameter} = {value:g}"


def values(rows: Sequence[Row], column: str, setting: Setting, fading: str, solver: str) -> BySeed:
    """Return a solver's values at a setting, by seed."""
    parameter, value = setting
    return by_seed(rows, column, parameter=parameter, value=value, fading=fading, solver=solver)


def curve_settings(rows: Sequence[Row], parameter: Parameter) -> list[tuple[float, Setting]]:
    """Return the values of a parameter that were run, ascending, the paper's own among them."""
    found = {
        parameter.paper if setting[1] is None else setting[1]: setting
        for setting in settings_of(rows)
        if setting[0] in (parameter.name, AS_PUBLISHED)
    }
    return sorted(found.items())


def curve_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return latency and gap of every solver, and the floor, at every value of every parameter."""
    return [
        {"fading": fading, "parameter": parameter.name, "value": value, **line}
        for fading in CHANNELS
        for parameter in PARAMETERS
        for value, setting in curve_settings(rows, parameter)
        for line in _lines(rows, setting, fading)
    ]


def _lines(rows: Sequence[Row], setting: Setting, fading: str) -> list[dict[str, Cell]]:
    floor = values(rows, "bound_s", setting, fading, "exact")
    lines = [_line(s, *(values(rows, column, setting, fading, s) for column in ("latency_s", "gap"))) for s in SOLVERS]
    return [_line(FLOOR, floor, dict.fromkeys(floor, 0.0)), *lines]


def _line(solver: str, latency_s: BySeed, gap: BySeed) -> dict[str, Cell]:
    return {
        "solver": solver,
        **columns(geometric_mean(latency_s), "latency_s"),
        **columns(mean(gap), "gap"),
        "largest_gap": max(gap.values(), default=None),
        "draws": len(latency_s),
    }
