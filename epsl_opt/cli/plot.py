"""`epsl-opt plot`: a schedule as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.instance_params import InstanceArguments, instance_options, refuse_instance_options
from epsl_opt.cli.messages import note
from epsl_opt.cli.params import complete_instance, packed, quiet_option
from epsl_opt.cli.schedule_source import load_breakdown
from epsl_opt.files.writing import refuse_unwritable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from epsl_opt.files.breakdown import Breakdown

SUFFIXES = (".png", ".svg", ".pdf")


@click.command()
@click.argument("schedule", metavar="SCHEDULE", type=click.Path(allow_dash=True))
@click.option(
    "-k",
    "--kind",
    type=click.Choice(["allocation", "gantt", "gap"]),
    default="gantt",
    show_default=True,
    help="Who holds which subchannel, the course of one round, or that of the solve.",
)
@click.option("--instance", metavar="INSTANCE", shell_complete=complete_instance, help="For the clients' names.")
@instance_options
@click.option("-o", "--output", type=click.Path(), metavar="FILE", required=True, help="A .png, .svg or .pdf file.")
@quiet_option
@packed(InstanceArguments)
def command(
    changes: InstanceArguments, *, schedule: str, kind: str, instance: str | None, output: str, quiet: bool
) -> int:
    """Draw a schedule file as a picture.

    allocation shows clients over subchannels, the shade being the uplink power. gantt shows one round: every client's
    stages, the server's, and the barriers where all wait for the slowest. gap shows how the solver's incumbent, bound
    and gap came about over time.

    \b
    Examples:
      epsl-opt plot schedule.json --kind gantt -o round.svg
      epsl-opt plot schedule.json --kind allocation --instance instance.json -o allocation.png
      epsl-opt plot schedule.json --instance paper --cut-layers layer1.0,layer2.0 -o round.svg
      epsl-opt plot schedule.json --kind gap -o gap.pdf

    The instance must be the one that the schedule is for: --task, --network, --batch-size, --phi, --cut-layers and
    --min-cut are for --instance, as they were given to `epsl-opt solve`.
    """
    from epsl_opt.core.errors import found_in
    from epsl_opt.core.reading import source_name
    from epsl_opt.report.plots.save import save_figure

    if Path(output).suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"--output must end in {', '.join(SUFFIXES)}, got {output!r}")
    if instance is None:
        refuse_instance_options("is for --instance")
    refuse_unwritable(output, schedule)
    breakdown = load_breakdown(schedule, instance, changes.apply)
    with found_in(source_name(schedule)):
        figure = _draw(kind, breakdown)
    save_figure(figure, Path(output))
    note(f"wrote {output}")
    return 0


def _draw(kind: str, breakdown: Breakdown) -> Figure:
    if kind == "gantt":
        from epsl_opt.report.plots.gantt import plot_gantt

        return plot_gantt(breakdown)
    if kind == "gap":
        from epsl_opt.report.plots.gap import plot_gap

        return plot_gap(breakdown.document)
    from epsl_opt.report.plots.allocation import plot_allocation

    return plot_allocation(breakdown)
