"""A schedule document as tables; shared by `solve` and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from epsl_opt.cli.output import facts, table
from epsl_opt.cli.units import NOTHING, dbm, fixed, megabits, number, percent

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.core.marginal_values import MarginalValues
    from epsl_opt.files.breakdown import Breakdown, ClientRow
    from epsl_opt.files.documents import ScheduleDocument

VALUES_SHOWN = 10
"""Rows of the table of marginal values, the largest."""

CLIENT_COLUMNS = (
    "client",
    "sub-\nch.",
    "power\nW",
    "power\ndBm",
    "up\nMb/s",
    "down\nMb/s",
    "fwd\ns",
    "up\ns",
    "down\ns",
    "bwd\ns",
    "last\nin",
)


def summary(document: ScheduleDocument) -> Table:
    """Return what a run left behind, as names and values."""
    provenance = document.provenance
    cut = document.cut_layer
    pairs = [
        ("instance", f"{document.instance.name} (sha256 {document.instance.sha256[:12]}…)"),
        ("solver", document.solver),
        ("status", document.status),
        ("stop reason", document.stop_reason),
        ("message", str(provenance.get("message") or NOTHING)),
        ("round latency", _seconds(document.latency_s)),
        ("lower bound", _seconds(document.bound_s)),
        ("gap", percent(document.gap)),
        ("cut layer", NOTHING if cut is None else f"{cut.name} (index {cut.index})"),
        ("build, solve", f"{_time(provenance.get('build_s'))}, {_time(provenance.get('solve_s'))}"),
    ]
    if overrun := provenance.get("overrun_s"):
        pairs.append(("over the time limit", _time(overrun)))
    return facts("", pairs)


def client_table(breakdown: Breakdown) -> Table:
    """Return one row per client."""
    title = "Clients (the stragglers are last in a phase)"
    return table(title, CLIENT_COLUMNS, (_client_cells(row) for row in breakdown.clients))


def phase_table(breakdown: Breakdown) -> Table:
    """Return one row per phase of the round."""
    total = breakdown.phases[-1].end_s
    columns = ("phase", "waits for", "mostly", "starts s", "takes s", "share")
    rows = (
        (
            phase.name,
            phase.waits_for,
            phase.stage,
            fixed(phase.start_s),
            fixed(phase.duration_s),
            percent(phase.duration_s / total if total > 0 else None, 1),
        )
        for phase in breakdown.phases
    )
    return table("Round", columns, rows, text_columns=3)


def value_table(values: MarginalValues) -> Table:
    """Return what more of each resource is worth."""
    rows = [
        ("total uplink power", "1 W", values.total_uplink_power_s_per_w),
        ("server compute", "1 GFLOP/s", values.server_compute_s_per_gflops),
        ("subchannel (like the best)", "1", float(values.subchannel_s.max())),
    ]
    rows += [(f"client {i} power", "1 W", float(v)) for i, v in enumerate(values.client_power_s_per_w)]
    rows += [(f"client {i} compute", "1 GFLOP/s", float(v)) for i, v in enumerate(values.client_compute_s_per_gflops)]
    rows.sort(key=lambda row: -row[2])
    cells = ((name, unit, f"{1e3 * value:.4g}") for name, unit, value in rows[:VALUES_SHOWN])
    return table(
        "What more would save (by the bound's prices)", ("resource", "more", "saves ms"), cells, text_columns=2
    )


def _client_cells(row: ClientRow) -> tuple[str, ...]:
    return (
        row.name,
        str(row.subchannels),
        number(row.power_w, 2),
        dbm(row.power_w),
        megabits(row.uplink_bps),
        megabits(row.downlink_bps),
        fixed(row.client_forward_s, 3),
        fixed(row.uplink_s, 3),
        fixed(row.downlink_s, 3),
        fixed(row.client_backward_s, 3),
        "both" if "," in row.straggler else row.straggler.replace("link phase", ""),
    )


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{number(value, 8)} s"


def _time(value: object) -> str:
    return f"{value:.3f} s" if isinstance(value, int | float) else NOTHING
