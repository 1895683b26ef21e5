"""`epsl-opt generate`: draw an instance from a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from epsl_opt.cli.instance_params import InstanceArguments, instance_options
from epsl_opt.cli.messages import note
from epsl_opt.cli.numbers import SEED
from epsl_opt.cli.output import emit, emit_csv, emit_json, emit_tables, table
from epsl_opt.cli.params import complete_scenario, format_option, output_option, packed, pairs_option, quiet_option
from epsl_opt.files.writing import refuse_unwritable

if TYPE_CHECKING:
    from epsl_opt.core.instance import Instance

_LIST_COLUMNS = ("name", "kind", "summary")


@click.command()
@click.argument("scenario", required=False, metavar="SCENARIO", shell_complete=complete_scenario)
@pairs_option("One of the scenario's options")
@click.option("--seed", type=SEED, metavar="N", help="Of all random draws; the same as --option seed=N.")
@instance_options
@output_option("the instance")
@click.option("--list", "list_all", is_flag=True, help="List the scenarios and library instances.")
@click.option("--describe", is_flag=True, help="Show the scenario's options with defaults and units.")
@format_option("table", "json", "csv")
@quiet_option
@packed(InstanceArguments)
def command(
    changes: InstanceArguments,
    *,
    scenario: str | None,
    pairs: tuple[str, ...],
    seed: int | None,
    output: str | None,
    list_all: bool,
    describe: bool,
    form: str,
    quiet: bool,
) -> int:
    """Draw an instance from a scenario.

    Writes an instance file (JSON) with every gain, clock and size spelled out, to standard output or to FILE. The same
    options and seed give the same file. SCENARIO is the name of a scenario, with options after a colon if you like,
    or of an instance from the library.

    \b
    Examples:
      epsl-opt generate paper --option clients=10 --option subchannels=40 --seed 3 -o instance.json
      epsl-opt generate paper:clients=10,seed=3 -o instance.json
      epsl-opt generate paper --task digits --cut-layers conv1,pool1 -o instance.json
      epsl-opt generate --list
      epsl-opt generate paper --describe

    With --task (or --network), the instance has the costs of the network that `epsl-opt train` trains on that task.
    --cut-layers and --min-cut leave fewer places to cut; the cut layer of a schedule is counted from 0 among those that
    its instance file has.

    --format is for --list and --describe; instances are JSON, or `.npz` if FILE ends so (for thousands of clients).
    """
    if list_all:
        _print_list(form)
    elif scenario is None:
        raise click.UsageError("SCENARIO is missing; `epsl-opt generate --list` lists them")
    elif describe:
        _print_options(scenario, form)
    else:
        refuse_unwritable(output)
        _write(changes.load(_spec(scenario, pairs, seed)), output)
    return 0


def _spec(scenario: str, pairs: tuple[str, ...], seed: int | None) -> str:
    """Join the name and options into one source, `paper:clients=10,seed=3`."""
    from epsl_opt.core.errors import InputError
    from epsl_opt.core.options import split_pairs

    options = [*pairs, *([f"seed={seed}"] if seed is not None else [])]
    split_pairs(options, f"scenario {scenario}")
    if wrong := next((pair for pair in options if "," in pair), None):
        raise InputError(f"scenario {scenario}", f"must not hold a comma, got {wrong!r}; repeat --option", "option")
    if not options:
        return scenario
    return f"{scenario}{',' if ':' in scenario else ':'}{','.join(options)}"


def _write(instance: Instance, output: str | None) -> None:
    from epsl_opt.core.json_text import format_json
    from epsl_opt.files.json_files import write_record

    if output is None:
        emit(format_json(instance.to_document()))
    else:
        write_record(output, instance)
        note(f"wrote {output}")


def _print_list(form: str) -> None:
    from epsl_opt.plugins import registry
    from epsl_opt.plugins.registry import load_scenario
    from epsl_opt.problems import library

    rows = [
        {"name": name, "kind": "scenario", "summary": load_scenario(name).summary}
        for name in registry.names(registry.SCENARIOS)
    ]
    rows += [
        {"name": entry.name, "kind": "library instance", "summary": entry.description} for entry in library.entries()
    ]
    if form == "json":
        emit_json(rows)
    elif form == "csv":
        emit_csv(_LIST_COLUMNS, rows)
    else:
        emit_tables(table("", _LIST_COLUMNS, [tuple(row.values()) for row in rows], text_columns=3))


def _print_options(scenario: str, form: str) -> None:
    from epsl_opt.plugins.option_rows import COLUMNS, option_cells, option_rows
    from epsl_opt.plugins.registry import load_scenario

    chosen = load_scenario(scenario.partition(":")[0])
    rows = option_rows(chosen.options_type)
    if form == "json":
        emit_json({"scenario": chosen.name, "summary": chosen.summary, "options": rows})
    elif form == "csv":
        emit_csv(COLUMNS, rows)
    else:
        emit_tables(table(f"{chosen.name}: {chosen.summary}", COLUMNS, option_cells(rows), text_columns=4))
