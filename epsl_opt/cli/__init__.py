"""The command line, one module a command."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run `epsl-opt` with the process's arguments and exit with its code."""
    from epsl_opt.cli.app import run

    sys.exit(run(sys.argv[1:]))
