"""A training's summary, and a backend, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from epsl_opt.cli.output import facts, table
from epsl_opt.cli.units import NOTHING, fixed, number, percent
from epsl_opt.training.setup import method_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from epsl_opt.campaigns.trainings import TrainingRow
    from epsl_opt.files.training_document import TrainingDocument
    from epsl_opt.plugins.backend import AnyBackend

CAMPAIGN_COLUMNS = (
    "framework",
    "solver",
    "cut layer",
    "seed",
    "round\ns",
    "rounds",
    "rounds to\ntarget",
    "time to\ntarget s",
    "simulated\ns",
    "final\naccuracy",
    "final\nmacro-F1",
    "up\nMbit",
    "down\nMbit",
    "stop",
)


def training_facts(document: TrainingDocument) -> Table:
    """Return what came of a training, as names and values."""
    cut = document.schedule.cut_layer
    pairs = [
        ("instance", f"{document.instance.name} (sha256 {document.instance.sha256[:12]}…)"),
        ("schedule", f"{document.schedule.solver}, cut layer {cut.name} (index {cut.index})"),
        ("framework", _framework(document)),
        ("task", f"{document.task} (majority rate {percent(document.majority_rate, 1)})"),
        ("rounds", f"{document.rounds} ({document.stop_reason})"),
        ("round latency", _round_latency(document)),
        ("simulated time", f"{number(document.simulated_time_s, 8)} s"),
        ("accuracy", f"final {percent(document.final_accuracy, 2)}, best {percent(document.best_accuracy, 2)}"),
        ("macro-F1", f"final {fixed(document.final_macro_f1)}, best {fixed(document.best_macro_f1)}"),
    ]
    if document.target_accuracy is not None:
        pairs.append((f"to {percent(document.target_accuracy, 1)}", _to_target(document)))
    pairs += [
        ("bits", f"{megabits(document.uplink_bits)} up, {megabits(document.downlink_bits)} down"),
        ("real time", f"{fixed(document.real_time_s, 2)} s"),
    ]
    return facts("", pairs)


def campaign_tables(rows: Sequence[TrainingRow]) -> list[Table]:
    """Return a table per instance, one line per framework, schedule and seed."""
    by_instance: dict[str, list[TrainingRow]] = {}
    for row in rows:
        by_instance.setdefault(row.instance, []).append(row)
    return [_instance_table(own) for own in by_instance.values()]


def _instance_table(rows: Sequence[TrainingRow]) -> Table:
    target = rows[0].target_accuracy
    asked = "" if target is None else f", target accuracy {percent(target, 1)}"
    title = f"{rows[0].instance}: majority rate {percent(rows[0].majority_rate, 1)}{asked}"
    return table(title, CAMPAIGN_COLUMNS, map(_cells, rows), text_columns=3)


def _cells(row: TrainingRow) -> tuple[str, ...]:
    return (
        method_name(row.framework, row.aggregation_ratio, row.average_every),
        row.solver,
        row.cut_layer,
        str(row.seed),
        number(row.round_latency_s),
        str(row.rounds),
        NOTHING if row.rounds_to_target is None else str(row.rounds_to_target),
        number(row.time_to_target_s),
        number(row.simulated_time_s),
        percent(row.final_accuracy, 2),
        fixed(row.final_macro_f1),
        number(row.uplink_bits / 1e6, 5),
        number(row.downlink_bits / 1e6, 5),
        row.stop_reason,
    )


def backend_tables(backend: AnyBackend) -> list[Table]:
    """Return what a backend can learn, and its options."""
    from epsl_opt.plugins.option_rows import COLUMNS, option_cells, option_rows

    rows = option_cells(option_rows(backend.options_type))
    return [
        table(f"{backend.name}: {backend.summary}", ("task", "data"), backend.tasks().items(), text_columns=2),
        table("Options", COLUMNS, rows, text_columns=4),
    ]


def megabits(bits: int) -> str:
    """Return an amount of data in Mbit."""
    return f"{number(bits / 1e6, 5)} Mbit"


def _framework(document: TrainingDocument) -> str:
    ratio = f", phi {document.aggregation_ratio:g}" if document.framework == "epsl" else ""
    other_clock = f" (by the clock of {document.clock})" if document.clock != document.framework else ""
    return f"{document.framework}{ratio}, batch size {document.batch_size}{other_clock}"


def _round_latency(document: TrainingDocument) -> str:
    latency = f"{number(document.round_latency_s, 8)} s"
    if document.average_every is None:
        return latency
    exchange = f"{number(document.model_exchange_s, 4)} s of it for models"
    return f"{latency}, the mean of {document.average_every} rounds ({exchange}, averaged after the last of them)"


def _to_target(document: TrainingDocument) -> str:
    if document.rounds_to_target is None:
        return "not reached"
    return f"{document.rounds_to_target} rounds, {number(document.time_to_target_s, 8)} simulated s"
