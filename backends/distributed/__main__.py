"""`torchrun ... -m epsl_opt.backends.distributed`: one process of a training."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from epsl_opt.backends.distributed.backend import DistributedBackend
from epsl_opt.backends.distributed.client import serve
from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.environment import missing_variables
from epsl_opt.backends.distributed.failures import RankError
from epsl_opt.backends.distributed.group import Group, join, leave
from epsl_opt.backends.distributed.wire import SERVER
from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode
from epsl_opt.cli.train_ranks import INTERFACE, TIMEOUT, server_command
from epsl_opt.core.defaults import DEFAULT_TIMEOUT_S
from epsl_opt.core.errors import EpslOptError, InputError
from epsl_opt.core.stop_request import ignore_interrupts, interrupt

_LAST_WORDS_S = 5.0
"""How long a client that is to end lets the server find out who was the first."""


def main(arguments: Sequence[str]) -> int:
    """Be the server or a client, as the launcher says; return the exit code."""
    if missing := missing_variables():
        return run(list(arguments) or ["--help"], server_command(None, missing))
    try:
        group = join(*_own_options(arguments))
    except InputError as error:
        return _fail(error, ExitCode.BAD_INPUT)
    except RankError as error:
        return _fail(error, ExitCode.ERROR)
    return _server(group, arguments) if group.rank == SERVER else _client(group)


def _server(group: Group, arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, interrupt)
    clients = Clients(group)
    try:
        return run(list(arguments) or ["--help"], server_command(DistributedBackend(clients)))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        clients.end()


def _client(group: Group) -> int:
    """Serve in a thread, since signals are only heard while the main thread runs Python."""
    ignore_interrupts()
    signal.signal(signal.SIGTERM, _leave_late)
    codes: list[int] = []
    worker = threading.Thread(target=lambda: codes.append(serve(group)), daemon=True)
    worker.start()
    worker.join()
    return codes[0] if codes else ExitCode.ERROR


def _leave_late(number: int, frame: FrameType | None) -> None:
    timer = threading.Timer(_LAST_WORDS_S, os._exit, [128 + number])
    timer.daemon = True
    timer.start()


def _own_options(arguments: Sequence[str]) -> tuple[float, str | None]:
    """Return what every rank needs before the server has read its command line, which finds the mistakes."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument(TIMEOUT, dest="timeout_s", type=float, default=DEFAULT_TIMEOUT_S)
    parser.add_argument(INTERFACE, dest="interface")
    with contextlib.suppress(argparse.ArgumentError, SystemExit):
        found, _ = parser.parse_known_args(arguments)
        if found.timeout_s > 0:
            return found.timeout_s, found.interface
    return DEFAULT_TIMEOUT_S, None


def _fail(error: EpslOptError, code: ExitCode) -> ExitCode:
    sys.stderr.write(f"epsl-opt: error: {error}\n")
    return code


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    leave()
    # Threads may still wait for ranks that are gone.
    os._exit(code)
