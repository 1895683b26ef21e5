"""What a campaign of trainings writes into its folder: tables, every case's records, pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from epsl_opt.campaigns.trainings import TrainedCase, TrainingCampaign, training_columns
from epsl_opt.core.json_text import format_json
from epsl_opt.files.csv_text import format_csv
from epsl_opt.files.json_files import prepare_folder, write_record
from epsl_opt.files.training_records import format_records
from epsl_opt.files.writing import write_bytes
from epsl_opt.report.comparison_files import PICTURES, SCHEDULES, file_labels

INSTANCES, RECORDS, TRAININGS = "instances", "records", "trainings"


def write_campaign(folder: Path, campaign: TrainingCampaign) -> None:
    """Write training.csv, training.json, instances/, schedules/, records/ and pictures/."""
    found = [trained.row for trained in campaign.cases]
    rows = [row.to_dict() for row in found]
    write_bytes(folder / "training.csv", format_csv(training_columns(found), rows).encode())
    write_bytes(folder / "training.json", format_json(rows).encode())
    for part in (INSTANCES, SCHEDULES, RECORDS, PICTURES):
        prepare_folder(folder / part)
    sources = {trained.setup.fitted.source.sha256: trained.setup.fitted.source for trained in campaign.cases}
    for sha256, label in file_labels(list(sources.values())).items():
        own = [trained for trained in campaign.cases if trained.setup.fitted.source.sha256 == sha256]
        _write_inputs(folder, label, own)
        for trained in own:
            text = format_records(trained.records, trained.timing)
            write_bytes(folder / RECORDS / f"{label}--{case_label(trained)}.csv", text.encode())
        _write_picture(folder / PICTURES / f"{label}--training", own)


def case_label(trained: TrainedCase) -> str:
    """Return what tells a case from the others of its instance, fit for a file name."""
    return f"{_method(trained)}--{trained.row.solver}--seed-{trained.row.seed}"


def _method(trained: TrainedCase) -> str:
    return re.sub(r"[^\w.-]+", "-", trained.setup.method).strip("-")


def _write_inputs(folder: Path, label: str, cases: Sequence[TrainedCase]) -> None:
    """Write each method's instance, and each solver's schedule for it; equal for every seed."""
    instances = {f"{label}--{_method(trained)}": trained.setup.fitted.instance for trained in cases}
    documents = {f"{label}--{_method(trained)}--{trained.row.solver}": trained.setup.document for trained in cases}
    for name, instance in instances.items():
        write_record(folder / INSTANCES / f"{name}.json", instance)
    for name, document in documents.items():
        write_record(folder / SCHEDULES / f"{name}.json", document)


def _write_picture(stem: Path, cases: Sequence[TrainedCase]) -> None:
    from epsl_opt.report.plots.save import save_picture
    from epsl_opt.report.plots.training import plot_training

    save_picture(plot_training(cases), stem)
