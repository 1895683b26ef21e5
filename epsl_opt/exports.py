"""A schedule in other formats than its own file; one function per format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields

from epsl_opt.breakdown import Breakdown, ClientRow
from epsl_opt.csv_text import format_csv

SUBCHANNEL_COLUMNS = ("subchannel", "client", "client_name", "power_w")
CLIENT_COLUMNS = tuple(field.name for field in fields(ClientRow))


def subchannels_csv(breakdown: Breakdown) -> str:
    """Return one row per subchannel: who holds it (empty if free), with what uplink power in watts."""
    rows = (
        {
            "subchannel": k,
            "client": None if owner < 0 else int(owner),
            "client_name": None if owner < 0 else breakdown.names[owner],
            "power_w": float(power),
        }
        for k, (owner, power) in enumerate(zip(breakdown.owner, breakdown.power_w, strict=True))
    )
    return format_csv(SUBCHANNEL_COLUMNS, rows)


def clients_csv(breakdown: Breakdown) -> str:
    """Return one row per client: its subchannels, power, rates and stage latencies."""
    return format_csv(CLIENT_COLUMNS, (asdict(row) for row in breakdown.clients))


EXPORTS: dict[str, Callable[[Breakdown], str]] = {"csv": subchannels_csv, "clients-csv": clients_csv}
"""Name of a format -> the function that writes it."""
