"""`epsl-opt export`: a schedule for other programs."""

from __future__ import annotations

import click

from epsl_opt.cli.output import emit, refuse_unwritable
from epsl_opt.cli.params import complete_instance, output_option, quiet_option
from epsl_opt.cli.schedule_source import load_breakdown
from epsl_opt.cli.talk import note

FORMATS = ("csv", "clients-csv")


@click.command()
@click.argument("schedule", metavar="SCHEDULE", type=click.Path(allow_dash=True))
@click.option("--to", "target", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="The format.")
@click.option("--instance", metavar="INSTANCE", shell_complete=complete_instance, help="For the clients' names.")
@output_option("it")
@quiet_option
def command(schedule: str, target: str, instance: str | None, output: str | None, quiet: bool) -> int:
    """Convert a schedule file to CSV.

    csv has one row per subchannel: its client (empty if free) and uplink power in watts. clients-csv has one row per
    client: subchannels, power in watts, rates in bit/s and stage latencies in seconds.

    \b
    Examples:
      epsl-opt export schedule.json -o allocation.csv
      epsl-opt export schedule.json --to clients-csv --instance instance.json
    """
    from epsl_opt.exports import EXPORTS
    from epsl_opt.files import write_bytes

    refuse_unwritable(output, schedule)
    text = EXPORTS[target](load_breakdown(schedule, instance))
    if output is None:
        emit(text)
    else:
        write_bytes(output, text.encode())
        note(f"wrote {output}")
    return 0
