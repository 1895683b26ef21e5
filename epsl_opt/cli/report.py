"""`epsl-opt report`: the studies of a folder as one page."""

from __future__ import annotations

from pathlib import Path

import click

from epsl_opt.cli.messages import note
from epsl_opt.cli.params import quiet_option
from epsl_opt.files.writing import refuse_unwritable


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
    from epsl_opt.plugins import registry
    from epsl_opt.report.page import write_report

    target = Path(folder) / "report.html" if output is None else Path(output)
    refuse_unwritable(str(target))
    found = write_report(Path(folder), target)
    note(f"wrote {target} ({len(found)} {'study' if len(found) == 1 else 'studies'})")
    if missing := [name for name in registry.names(registry.STUDIES) if name not in found]:
        note(f"not in {folder}: {', '.join(missing)}; `epsl-opt study NAME --output {folder}` makes them")
    return 0
