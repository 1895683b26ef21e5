"""A schedule document as tables; shared by `solve` and `show`."""

from __future__ import annotations

import re
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


def summary(document: ScheduleDocument, bound_beside_s: float | None = None) -> Table:
    """Return what a run left behind, as names and values; `bound_beside_s` was proved beside the solver."""
    provenance = document.provenance
    cut = document.cut_layer
    pairs = [
        ("instance", f"{document.instance.name} (sha256 {document.instance.sha256[:12]}…)"),
        ("solver", document.solver),
        ("status", document.status),
        ("stop reason", document.stop_reason),
        ("message", str(provenance.get("message") or NOTHING)),
        *_framework(document),
        ("round latency", _seconds(document.latency_s)),
        *_bound(document, bound_beside_s),
        ("cut layer", NOTHING if cut is None else f"{cut.name} (index {cut.index})"),
        ("build, solve", f"{_time(provenance.get('build_s'))}, {_time(provenance.get('solve_s'))}"),
    ]
    if overrun := provenance.get("overrun_s"):
        pairs.append(("over the time limit", _time(overrun)))
    return facts("", pairs)


def _bound(document: ScheduleDocument, beside_s: float | None) -> list[tuple[str, str]]:
    from epsl_opt.core.results import relative_gap

    if beside_s is None or document.latency_s is None:
        return [("lower bound", _seconds(document.bound_s)), ("gap", percent(document.gap))]
    known_s = min(beside_s, document.latency_s)
    gap = percent(relative_gap(document.latency_s, known_s))
    return [("lower bound", f"{_seconds(known_s)}, proved beside the solver"), ("gap", gap)]


def client_table(breakdown: Breakdown) -> Table:
    """Return one row per client."""
    title = "Clients (the stragglers are last in a phase)"
    exchanges = breakdown.stages.model_upload_s is not None
    columns = (*CLIENT_COLUMNS[:-1], "exchange\ns", CLIENT_COLUMNS[-1]) if exchanges else CLIENT_COLUMNS
    return table(title, columns, (_client_cells(row, exchanges=exchanges) for row in breakdown.clients))


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


def _client_cells(row: ClientRow, *, exchanges: bool) -> tuple[str, ...]:
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
        *([fixed((row.model_upload_s or 0) + (row.model_download_s or 0), 3)] if exchanges else []),
        "both" if row.straggler == "uplink phase, downlink phase" else _SHORT.sub("", row.straggler),
    )


_SHORT = re.compile(r"link phase| upload| training")
"""What the table of clients leaves out of the names of phases."""


def _framework(document: ScheduleDocument) -> list[tuple[str, str]]:
    """Whose round it is, where that is not EPSL's."""
    if document.average_every is not None:
        averaged = f"models averaged every {document.average_every} rounds (mean round)"
        return [("framework", f"{document.framework or 'epsl'}, {averaged}")]
    return [] if document.framework is None else [("framework", str(document.framework))]


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{number(value, 8)} s"


def _time(value: object) -> str:
    return f"{value:.3f} s" if isinstance(value, int | float) else NOTHING
