"""What a campaign writes into its folder: tables, schedules, pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from epsl_opt.campaigns.compare import Comparison
from epsl_opt.campaigns.ranking import RunRow, run_columns, summarise
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_text import format_json
from epsl_opt.files.breakdown import Breakdown
from epsl_opt.files.csv_text import format_csv
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.json_files import prepare_folder, write_record
from epsl_opt.files.writing import write_bytes

SCHEDULES, PICTURES = "schedules", "pictures"

MAX_PICTURED_INSTANCES = 4
"""Beyond this many instances only the overview is drawn: pictures take longer than many a solver."""


def write_comparison(folder: Path, comparison: Comparison, rows: Sequence[RunRow]) -> None:
    """Write comparison.csv, comparison.json, schedules/ and pictures/."""
    records = [row.to_dict() for row in rows]
    write_bytes(folder / "comparison.csv", format_csv(run_columns(rows), records).encode())
    write_bytes(folder / "comparison.json", format_json(records).encode())
    prepare_folder(folder / SCHEDULES)
    labels = file_labels(comparison.instances)
    scored = {(row.instance_sha256, row.solver) for row in rows if row.latency_s is not None}
    for document in comparison.documents:
        sha256 = document.instance.sha256
        if (sha256, document.solver) in scored:
            write_record(folder / SCHEDULES / f"{labels[sha256]}--{document.solver}.json", document)
    _write_pictures(folder / PICTURES, comparison, rows, labels)


def file_labels(instances: Sequence[Instance]) -> dict[str, str]:
    """Return a file name for each instance by sha256: its name, made safe, and told apart from equal ones."""
    labels: dict[str, str] = {}
    for instance in instances:
        safe = re.sub(r"[^\w.-]+", "_", instance.name).strip("._") or "instance"
        label = safe[:100]
        labels[instance.sha256] = f"{label}-{instance.sha256[:8]}" if label in labels.values() else label
    return labels


def _write_pictures(folder: Path, comparison: Comparison, rows: Sequence[RunRow], labels: dict[str, str]) -> None:
    from epsl_opt.report.plots.comparison import plot_instance, plot_overview
    from epsl_opt.report.plots.save import save_picture

    if not any(row.latency_s is not None for row in rows):
        return
    prepare_folder(folder)
    if len(comparison.instances) > 1:
        save_picture(plot_overview(summarise(rows)), folder / "overview")
    for instance in comparison.instances[:MAX_PICTURED_INSTANCES]:
        own = [row for row in rows if row.instance_sha256 == instance.sha256 and row.latency_s is not None]
        if own:
            label = labels[instance.sha256]
            save_picture(plot_instance(own), folder / f"{label}--comparison")
            _write_best(folder, label, instance, _document(comparison, own[0]))


def _write_best(folder: Path, label: str, instance: Instance, best: ScheduleDocument) -> None:
    """Draw the best schedule of an instance."""
    from epsl_opt.report.plots.allocation import plot_allocation
    from epsl_opt.report.plots.gantt import plot_gantt
    from epsl_opt.report.plots.save import save_picture

    breakdown = Breakdown(best, [client.name for client in instance.clients])
    save_picture(plot_allocation(breakdown), folder / f"{label}--allocation")
    save_picture(plot_gantt(breakdown), folder / f"{label}--gantt")


def _document(comparison: Comparison, row: RunRow) -> ScheduleDocument:
    wanted = (row.instance_sha256, row.solver)
    return next(found for found in comparison.documents if (found.instance.sha256, found.solver) == wanted)
