"""Measured and simulated times as tables."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from epsl_opt.cli.output import table
from epsl_opt.cli.units import NOTHING, number

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.backends.distributed.measured import Measured

_COLUMNS = ("stage", "measured\nmedian s", "simulated\ns", "measured /\nsimulated")
_DIGITS = 4
_COMMUNICATION = ("uplink_s", "broadcast_s", "downlink_s")


def measured_tables(measured: Measured) -> list[Table]:
    """Return a table of the round's stages, and one of every client's communication."""
    title = f"Stages of {len(measured.rounds)} rounds: measured on these ranks, simulated for the instance's devices"
    stages = table(title, _COLUMNS, _stage_rows(measured))
    simulated = measured.simulated_clients()
    if not simulated:
        return [stages]
    columns = [
        "client",
        *(f"{stage.removesuffix('_s')}\n{kind}" for stage in _COMMUNICATION for kind in ("s", "sim. s")),
    ]
    return [stages, table("Communication of clients, measured (median) and simulated", columns, _client_rows(measured))]


def _stage_rows(measured: Measured) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    simulated = asdict(measured.simulated)
    for stage, median_s in measured.medians().items():
        simulated_s = simulated[stage]
        if median_s or simulated_s:
            rows.append((stage.removesuffix("_s").replace("_", " "), *_cells(median_s, simulated_s)))
    return rows


def _cells(median_s: float, simulated_s: float) -> tuple[str, str, str]:
    ratio = number(median_s / simulated_s, 3) if simulated_s else NOTHING
    return number(median_s, _DIGITS), number(simulated_s, _DIGITS), ratio


def _client_rows(measured: Measured) -> list[tuple[str, ...]]:
    found, simulated = measured.clients(), measured.simulated_clients()
    rows = []
    for position, client in enumerate(measured.plan.instance.clients):
        cells = [client.name]
        for stage in _COMMUNICATION:
            cells.append(number(float(found[stage][position]), _DIGITS))
            cells.append(number(float(simulated[stage][position]), _DIGITS) if stage in simulated else NOTHING)
        rows.append(tuple(cells))
    return rows
