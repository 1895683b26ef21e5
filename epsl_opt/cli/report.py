"""`epsl-opt report`: the studies of a folder as one page."""

from __future__ import annotations

from pathlib import Path

import click

from epsl_opt.cli.output import refuse_unwritable
from epsl_opt.cli.params import quiet_option
from epsl_opt.cli.talk import note


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("-o", "--output", type=click.Path(), metavar="FILE", help="The page [default: DIR/report.html].")
@quiet_option
def command(folder: str, output: str | None, quiet: bool) -> int:
    """Write the studies of a folder as one HTML page.

    The page opens offline and holds its pictures; it has light and dark colours, and tables that sort.

    \b
    Examples:
      epsl-opt study resource-management --quick --output studies
      epsl-opt report studies
    """
    from epsl_opt.report import write_report

    target = Path(folder) / "report.html" if output is None else Path(output)
    refuse_unwritable(str(target))
    count = write_report(Path(folder), target)
    note(f"wrote {target} ({count} {'study' if count == 1 else 'studies'})")
    return 0
