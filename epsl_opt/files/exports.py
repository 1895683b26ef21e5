"""A schedule in other formats than its own file; one function per format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

from epsl_opt.files.breakdown import Breakdown, ClientRow
from epsl_opt.files.csv_text import format_csv

SUBCHANNEL_COLUMNS = ("subchannel", "client", "client_name", "power_w")
MODEL_COLUMNS = ("model_upload_s", "model_download_s")
"""Columns of clients that send or get models."""

CLIENT_COLUMNS = tuple(field.name for field in fields(ClientRow) if field.name not in MODEL_COLUMNS)

Row = dict[str, object]


def subchannel_table(breakdown: Breakdown) -> list[Row]:
    """Return one row per subchannel: who holds it (None if free), with what uplink power in watts."""
    return [
        {
            "subchannel": k,
            "client": None if owner < 0 else int(owner),
            "client_name": None if owner < 0 else breakdown.names[owner],
            "power_w": float(power),
        }
        for k, (owner, power) in enumerate(zip(breakdown.owner, breakdown.power_w, strict=True))
    ]


def client_table(breakdown: Breakdown) -> list[Row]:
    """Return one row per client: what it holds, its rates, stage latencies and deadlines."""
    return [row.to_dict() for row in breakdown.clients]


def client_columns(breakdown: Breakdown) -> tuple[str, ...]:
    """Return the columns of `client_table`: those of models where any client sends or gets one."""
    return tuple(breakdown.clients[0].to_dict())


def subchannels_csv(breakdown: Breakdown) -> bytes:
    """Return the rows of `subchannel_table`."""
    return format_csv(SUBCHANNEL_COLUMNS, subchannel_table(breakdown)).encode()


def clients_csv(breakdown: Breakdown) -> bytes:
    """Return the rows of `client_table`; subchannel indices stand between spaces."""
    return format_csv(client_columns(breakdown), map(flat, client_table(breakdown))).encode()


def subchannels_parquet(breakdown: Breakdown) -> bytes:
    """Return the rows of `subchannel_table`."""
    return _parquet(breakdown, subchannel_table(breakdown))


def clients_parquet(breakdown: Breakdown) -> bytes:
    """Return the rows of `client_table`; subchannel indices are a column of lists."""
    return _parquet(breakdown, client_table(breakdown))


def flat(row: Row) -> Row:
    """Return a row whose lists are texts."""
    return {key: " ".join(map(str, value)) if isinstance(value, tuple) else value for key, value in row.items()}


def _parquet(breakdown: Breakdown, rows: list[Row]) -> bytes:
    from epsl_opt.files.parquet import format_parquet

    return format_parquet(rows, breakdown.document)


EXPORTS: dict[str, Callable[[Breakdown], bytes]] = {
    "csv": subchannels_csv,
    "clients-csv": clients_csv,
    "parquet": subchannels_parquet,
    "clients-parquet": clients_parquet,
}
"""Name of a format -> the function that writes it."""

BINARY = ("parquet", "clients-parquet")
"""Formats that are no text."""
