"""The command line, one module a command."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run `epsl-opt` with the process's arguments and exit with its code."""
    _open_streams()
    _log_warnings()
    from epsl_opt.cli.app import run

    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError:
        from epsl_opt.cli.output import close_stdout

        close_stdout()
    sys.exit(code)


def _open_streams() -> None:
    """A closed stream is None; what would go there goes nowhere, and no file that is opened takes its descriptor."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - pathlib takes time to import
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _log_warnings() -> None:
    """Python's warnings are for programmers: they go to the log of `--debug`, unless `python -W` asks for them."""
    if not sys.warnoptions:
        import logging

        logging.captureWarnings(True)
