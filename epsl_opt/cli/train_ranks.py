"""The command line of rank 0: that of `epsl-opt train`, and how ranks work together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.measured_view import measured_tables
from epsl_opt.cli.output import emit_tables
from epsl_opt.cli.params import packed
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.train import command as train_command
from epsl_opt.cli.train import describe
from epsl_opt.cli.train_arguments import TrainArguments
from epsl_opt.cli.train_flow import train
from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_TIMEOUT_S
from epsl_opt.core.errors import EngineError, InputError
from epsl_opt.core.json_text import format_json
from epsl_opt.files.writing import write_bytes
from epsl_opt.plugins.registry import load_backend

if TYPE_CHECKING:
    from epsl_opt.backends.distributed.backend import DistributedBackend
    from epsl_opt.backends.distributed.measured import Measured

NAME = "torchrun ... -m epsl_opt.backends.distributed"
_MEASURED_FILE = "measured.json"
TIMEOUT, INTERFACE = "--timeout-s", "--broadcast-interface"

_HELP = """Train for real under a schedule, every client in a process of its own.

Takes the options of `epsl-opt train`, which says what they do, and trains the same to the same files. Start one process
more than the instance has clients: rank 0 is the server, rank i + 1 client i.

\b
Example:
  torchrun --standalone --nproc-per-node 6 -m epsl_opt.backends.distributed paper --rounds 50 -o run

At the end, the measured times of the stages stand beside the simulated ones; DIR/measured.json has those of all rounds.
The exit code is 1 if a rank dies or gives no sign; the same command with --resume goes on from the last checkpoint."""

_OWN = [
    click.Option(
        [TIMEOUT],
        type=click.FloatRange(min=0, min_open=True),
        default=DEFAULT_TIMEOUT_S,
        show_default=True,
        metavar="S",
        help="How long a rank waits for another one before it gives up.",
    ),
    click.Option(
        [INTERFACE], metavar="NAME", help="Network interface for broadcasts [default: as for everything else]."
    ),
]


def server_command(backend: DistributedBackend | None, missing: Sequence[str] = ()) -> click.Command:
    """Return the command of rank 0; without a backend, since variables are missing, one that only explains itself."""

    @packed(TrainArguments)
    def start(arguments: TrainArguments, *, timeout_s: float, broadcast_interface: str | None) -> int:
        if arguments.describe:
            return describe(load_backend(DEFAULT_BACKEND), arguments.form)
        if backend is None:
            raise InputError("torchrun", f"did not start this: {', '.join(missing)} not set (see --help)")
        return _train(backend, arguments)

    parameters = [parameter for parameter in train_command.params if parameter.name != "backend"]
    return click.Command(NAME, params=[*parameters, *_OWN], callback=start, help=_HELP)


def _train(backend: DistributedBackend, arguments: TrainArguments) -> int:
    try:
        code = train(arguments, backend)
    except EngineError as error:
        raise EngineError(f"{error}; {_how_to_go_on(arguments)}") from error
    if backend.session is not None and backend.session.times and code == ExitCode.OK:
        _show(backend.session.measured, arguments)
    return code


def _how_to_go_on(arguments: TrainArguments) -> str:
    if arguments.output is None:
        return "with --output DIR it could go on"
    return "the same command with --resume goes on from the last checkpoint"


def _show(measured: Measured, arguments: TrainArguments) -> None:
    if arguments.output is not None:
        write_bytes(Path(arguments.output) / _MEASURED_FILE, format_json(measured.document()).encode())
    if arguments.form == "table":
        emit_tables(*measured_tables(measured))
    elif not arguments.quiet:
        with stdout_to_stderr():
            emit_tables(*measured_tables(measured))
