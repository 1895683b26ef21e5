"""The command line, one module a command."""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TextIO


def _nowhere() -> TextIO:
    from pathlib import Path

    return Path(os.devnull).open("w", encoding="utf-8")


def main() -> NoReturn:
    """Run `epsl-opt` with the process's arguments and exit with its code."""
    from epsl_opt.cli.app import run

    # A closed stream is None; what would go there goes nowhere.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    sys.exit(run(sys.argv[1:]))
