"""The command line of rank 0: that of `epsl-opt train`, and how ranks work together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from epsl_opt.backends.distributed.backend import DistributedBackend
from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.environment import missing_variables
from epsl_opt.backends.distributed.failures import RankError
from epsl_opt.backends.distributed.group import DEFAULT_TIMEOUT_S
from epsl_opt.backends.distributed.measured import Measured
from epsl_opt.backends.distributed.measured_view import measured_tables
from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.output import emit_tables
from epsl_opt.cli.redirect import stdout_to_stderr
from epsl_opt.cli.train import command as train
from epsl_opt.cli.training_params import DEFAULT_BACKEND
from epsl_opt.core.errors import InputError
from epsl_opt.plugins import registry

NAME = "torchrun ... -m epsl_opt.backends.distributed"
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


def server_command(clients: Clients | None) -> click.Command:
    """Return the command of rank 0; without clients, one that only explains itself."""

    def start(**options: Any) -> int:
        if options["describe"]:
            return _train(options)
        if clients is None:
            raise InputError("torchrun", f"did not start this: {', '.join(missing_variables())} not set (see --help)")
        return _train_with(clients, options)

    parameters = [parameter for parameter in train.params if parameter.name != "backend"]
    return click.Command(NAME, params=[*parameters, *_OWN], callback=start, help=_HELP)


def _train_with(clients: Clients, options: dict[str, Any]) -> int:
    backend = DistributedBackend(clients)
    with registry.provided(registry.BACKENDS, DEFAULT_BACKEND, lambda: backend):
        try:
            code = _train(options)
        except RankError as error:
            raise RankError(f"{error}; {_how_to_go_on(options)}") from error
    if backend.session is not None and backend.session.times and code == ExitCode.OK:
        _show(backend.session.measured, options)
    return code


def _train(options: dict[str, Any]) -> int:
    own = {key: value for key, value in options.items() if key not in ("timeout_s", "broadcast_interface")}
    assert train.callback is not None
    return int(train.callback(backend=DEFAULT_BACKEND, **own))


def _how_to_go_on(options: dict[str, Any]) -> str:
    if options["output"] is None:
        return "with --output DIR it could go on"
    return "the same command with --resume goes on from the last checkpoint"


def _show(measured: Measured, options: dict[str, Any]) -> None:
    if options["output"] is not None:
        measured.write(Path(options["output"]))
    if options["form"] == "table":
        emit_tables(*measured_tables(measured))
    elif not options["quiet"]:
        with stdout_to_stderr():
            emit_tables(*measured_tables(measured))
