"""`epsl-opt export`: a schedule, or an instance as an optimisation model, for other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.messages import note
from epsl_opt.cli.output import emit
from epsl_opt.cli.params import complete_instance, framework_options, output_option, pairs_option, quiet_option
from epsl_opt.cli.schedule_source import load_breakdown
from epsl_opt.files.writing import refuse_unwritable

if TYPE_CHECKING:
    from epsl_opt.core.instance import Instance


@click.command()
@click.argument("source", metavar="SOURCE", shell_complete=complete_instance)
@click.option("--to", "target", default="csv", show_default=True, metavar="FORMAT", help="The format.")
@click.option("--instance", metavar="INSTANCE", shell_complete=complete_instance, help="For the clients' names.")
@click.option("--form", metavar="FORM", help="Of a model: milp or minlp.")
@click.option("--cut", metavar="J", help="Of a model: the cut layer, counted from 0.")
@framework_options
@pairs_option("An option of the model's format")
@output_option("it")
@quiet_option
def command(
    source: str,
    target: str,
    instance: str | None,
    form: str | None,
    cut: str | None,
    framework: str | None,
    average_every: int | None,
    pairs: Sequence[str],
    output: str | None,
    quiet: bool,
) -> int:
    """Convert a schedule to CSV or Parquet, or an instance to an optimisation model.

    SOURCE is a schedule file for csv and parquet (one row per subchannel: its client, empty if free, and uplink power
    in watts), clients-csv and clients-parquet (one row per client: batch size, cut layer, subchannels, power in watts,
    rates in bit/s, stage latencies and deadlines in seconds). Parquet needs pyarrow: pip install "epsl-opt[parquet]".

    SOURCE is an instance for lp and mps (the outer-approximated MILP of one cut layer), nl and gms (the convex MINLP,
    or the MILP with --form milp). The optimum of a model is the round latency in seconds at that cut layer.

    \b
    Examples:
      epsl-opt export schedule.json -o allocation.csv
      epsl-opt export schedule.json --to clients-csv --instance instance.json
      epsl-opt export schedule.json --to clients-parquet -o clients.parquet
      epsl-opt export paper --to lp -o paper.lp
      epsl-opt export paper --to nl --cut 10 -o paper.nl
    """
    from epsl_opt.files.writing import write_bytes

    refuse_unwritable(output, source)
    _refuse_binary_on_stdout(target, output)
    options = {"form": form, "cut": cut}
    given = [*pairs, *(f"{key}={value}" for key, value in options.items() if value is not None)]
    content = _converted(source, target, instance, given, _choice(framework, average_every))
    if output is None:
        emit(content.decode())
    else:
        write_bytes(output, content)
        note(f"wrote {output}")
    return 0


def _refuse_binary_on_stdout(target: str, output: str | None) -> None:
    from epsl_opt.files.exports import BINARY

    if target in BINARY and output is None:
        raise click.UsageError(f"{target} is no text; name a file with -o")


def _choice(framework: str | None, average_every: int | None) -> Callable[[Instance], Instance]:
    """Return what makes an instance about the round that is asked for."""
    from epsl_opt.core.framework import Framework
    from epsl_opt.core.framework_choice import choose_framework

    named = None if framework is None else Framework(framework)
    return lambda instance: choose_framework(instance, named, average_every)


def _converted(
    source: str, target: str, instance: str | None, pairs: Sequence[str], choose: Callable[[Instance], Instance]
) -> bytes:
    from epsl_opt.files.exports import EXPORTS

    if target not in EXPORTS:
        if instance is not None:
            raise click.UsageError("--instance goes with a schedule's formats: a model's SOURCE is the instance itself")
        return _model(source, target, pairs, choose)
    if pairs:
        raise click.UsageError(f"--form, --cut and --option are not for {target}")
    return EXPORTS[target](load_breakdown(source, instance, choose))


def _model(source: str, target: str, pairs: Sequence[str], choose: Callable[[Instance], Instance]) -> bytes:
    from epsl_opt.core.errors import InputError
    from epsl_opt.core.options import parse_options, split_pairs, unknown
    from epsl_opt.files.exports import EXPORTS
    from epsl_opt.plugins import registry
    from epsl_opt.plugins.exporter import Exporter
    from epsl_opt.problems.sources import load_instance

    known = registry.names(registry.EXPORTERS)
    if target not in known:
        raise InputError("--to", unknown(target, [*EXPORTS, *known]))
    exporter = registry.load(registry.EXPORTERS, target)()
    if not isinstance(exporter, Exporter):
        raise InputError("--to", f"{target!r} is not an epsl_opt Exporter")
    options = parse_options(exporter.options_type, split_pairs(pairs, "export"), f"export --to {target}")
    return exporter.export(choose(load_instance(source)), options)
