"""What a plan writes into its folder: the plan, the table of its points, the winner's files, the picture."""

from __future__ import annotations

from pathlib import Path

from epsl_opt.files.csv_text import format_csv
from epsl_opt.files.json_files import prepare_folder, write_record
from epsl_opt.files.plan_document import PlanDocument, PlannedPoint
from epsl_opt.files.writing import write_bytes
from epsl_opt.planning.drafting import INSTANCE, SCHEDULE
from epsl_opt.planning.plan import Plan

PLAN, POINTS, PICTURE = "plan.json", "points.csv", "plan"

COLUMNS = (*(name for name in PlannedPoint.model_fields if name != "pilots"), "pilots", "pilot_rounds")


def write_plan(folder: Path, plan: Plan) -> None:
    """Write plan.json, points.csv, instance.json and schedule.json of the winner if there is one, plan.png and .svg.

    Raises
    ------
    InputError
        If the folder can't be written to.
    """
    from epsl_opt.report.plots.plan import plot_plan
    from epsl_opt.report.plots.save import save_picture

    prepare_folder(folder)
    if plan.instance is not None and plan.schedule is not None:
        write_record(folder / INSTANCE, plan.instance)
        write_record(folder / SCHEDULE, plan.schedule)
    write_bytes(folder / POINTS, format_csv(COLUMNS, point_rows(plan.document)).encode())
    save_picture(plot_plan(plan.document), folder / PICTURE)
    write_record(folder / PLAN, plan.document)


def point_rows(document: PlanDocument) -> list[dict[str, object]]:
    """Return a row for each point; pilots are counted."""
    return [
        point.model_dump(exclude={"pilots"})
        | {"pilots": len(point.pilots), "pilot_rounds": sum(pilot.rounds for pilot in point.pilots)}
        for point in document.points
    ]
