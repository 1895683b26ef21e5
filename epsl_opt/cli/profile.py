"""`epsl-opt profile`: what a network costs at each cut, and how fast this machine is at it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from epsl_opt.cli.messages import note
from epsl_opt.cli.numbers import COUNT, listed, plain
from epsl_opt.cli.output import emit_csv, emit_json, emit_tables
from epsl_opt.cli.params import format_option, output_option, packed, quiet_option
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.training_params import complete_backend
from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_MAX_POWER_DBM, DEFAULT_SAMPLES
from epsl_opt.core.plain_text import shown
from epsl_opt.files.writing import refuse_unwritable

if TYPE_CHECKING:
    from epsl_opt.core.instance import Client, ModelProfile
    from epsl_opt.plugins.backend import Measurement

DEFAULT_BATCH_SIZE, DEFAULT_CLIENT_NAME = 64, "measured"


@dataclass(frozen=True, kw_only=True)
class MeasuringArguments:
    """What needs `--measure`, as it is on the command line; None is the default."""

    batch_size: int | None
    client_output: str | None
    client_name: str | None
    client_power_dbm: float | None
    client_samples: int | None


class Shape(click.ParamType):  # type: ignore[type-arg]
    """Lengths between commas, `3,64,64`."""

    name = "shape"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Return the lengths."""
        try:
            lengths = tuple(int(plain(part)) for part in listed(value))
        except (ValueError, OverflowError):
            self.fail(f"must look like 3,64,64, got {shown(value)}", param, ctx)
        if not lengths or min(lengths) < 1 or max(lengths) > 2**31:
            self.fail(f"must be lengths of at least 1, got {shown(value)}", param, ctx)
        return lengths


_POWER = click.FloatRange(min=-300, max=300)
_POWER_HELP = f"Its transmit power limit [default: {DEFAULT_MAX_POWER_DBM}]."
_SAMPLES_HELP = f"Samples it holds [default: {DEFAULT_SAMPLES}]."


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--input", "shape", type=Shape(), required=True, metavar="SHAPE", help="Of one sample, like 3,64,64.")
@click.option("--classes", type=COUNT, default=10, show_default=True, metavar="N", help="Logits.")
@click.option(
    "--backend",
    default=DEFAULT_BACKEND,
    show_default=True,
    metavar="NAME",
    shell_complete=complete_backend,
    help="Whose networks.",
)
@click.option("--measure", is_flag=True, help="Also time every layer on this machine.")
@click.option("-b", "--batch-size", type=COUNT, metavar="B", help=f"To time with [default: {DEFAULT_BATCH_SIZE}].")
@click.option("--client-output", type=click.Path(), metavar="FILE", help="Write this machine as a client to this file.")
@click.option("--client-name", metavar="NAME", help=f"Of that client [default: {DEFAULT_CLIENT_NAME}].")
@click.option("--client-power-dbm", type=_POWER, metavar="P", help=_POWER_HELP)
@click.option("--client-samples", type=COUNT, metavar="N", help=_SAMPLES_HELP)
@output_option("the profile")
@format_option("table", "json", "csv")
@quiet_option
@packed(MeasuringArguments)
def command(
    measuring: MeasuringArguments,
    *,
    model: str,
    shape: tuple[int, ...],
    classes: int,
    backend: str,
    measure: bool,
    output: str | None,
    form: str,
    quiet: bool,
) -> int:
    """Count what a network costs at each possible cut; measure this machine.

    MODEL is a built-in network with options after a colon (mlp, cnn, lenet5, resnet18, cnn:width=32,activation=tanh),
    a classification model of torchvision by name, or your own as module:factory. Cuts are found automatically. The
    profile that -o and --format json write is what --option model=FILE of the scenario reads.

    \b
    Examples:
      epsl-opt profile resnet18 --input 3,64,64 --classes 7 -o profile.json
      epsl-opt generate paper --option model=profile.json -o instance.json
      epsl-opt profile mynet:build --input 1,28,28
      epsl-opt profile cnn --input 1,8,8 --measure --client-name pi4 --client-output pi4.json

    With --measure every layer is timed forward and backward in training, and the machine becomes a client as instances
    list them: its simulated time for the whole network is the measured one.
    """
    from epsl_opt.files.measured_client import client_of
    from epsl_opt.plugins.registry import load_backend
    from epsl_opt.training.request import ready

    if not measure:
        _refuse_measuring_options()
    client = _unmeasured(measuring)
    refuse_unwritable(output)
    refuse_unwritable(measuring.client_output)
    batch_size = measuring.batch_size or DEFAULT_BATCH_SIZE
    trainer = ready(load_backend(backend))
    with stdout_to_stderr():
        profile = trainer.profile(model, shape, classes)
        measurement = trainer.measure(model, shape, classes, batch_size) if measure else None
    measured = None if measurement is None else (measurement, client_of(measurement, client))
    _write(profile, output, None if measured is None else measured[1], measuring.client_output)
    _show(profile, measured, form)
    return 0


def _refuse_measuring_options() -> None:
    """Raise if what needs `--measure` stands on the command line without it."""
    source = click.get_current_context().get_parameter_source
    for field in fields(MeasuringArguments):
        if source(field.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{field.name.replace('_', '-')} needs --measure")


def _unmeasured(measuring: MeasuringArguments) -> Client:
    """Return the client as far as options tell; nothing is measured for one that does not exist."""
    from pydantic import ValidationError

    from epsl_opt.core.errors import InputError
    from epsl_opt.core.instance import Client

    power_dbm = DEFAULT_MAX_POWER_DBM if measuring.client_power_dbm is None else measuring.client_power_dbm
    try:
        return Client(
            name=DEFAULT_CLIENT_NAME if measuring.client_name is None else measuring.client_name,
            cycles_per_s=1.0,
            cycles_per_flop=1.0,
            max_power_w=10 ** (power_dbm / 10 - 3),
            samples=measuring.client_samples or DEFAULT_SAMPLES,
        )
    except ValidationError as error:
        raise InputError.from_validation("client", error) from error


def _write(profile: ModelProfile, output: str | None, client: Client | None, client_output: str | None) -> None:
    from epsl_opt.files.json_files import write_record

    for path, record in ((output, profile), (client_output, client)):
        if path is not None and record is not None:
            write_record(path, record)
            note(f"wrote {path}")


def _show(profile: ModelProfile, measured: tuple[Measurement, Client] | None, form: str) -> None:
    from epsl_opt.cli.cut_view import CUT_COLUMNS, cut_rows
    from epsl_opt.cli.profile_view import LAYER_COLUMNS, layer_rows, measurement_tables, profile_tables

    if form == "table":
        emit_tables(*profile_tables(profile), *(measurement_tables(*measured) if measured else []))
    elif measured is None:
        emit_json(profile.to_document()) if form == "json" else emit_csv(CUT_COLUMNS, cut_rows(profile))
    elif form == "csv":
        emit_csv(LAYER_COLUMNS, layer_rows(measured[0]))
    else:
        measurement, client = measured
        parts = {"profile": profile.to_document(), "measurement": asdict(measurement), "client": client.to_document()}
        emit_json(parts)
