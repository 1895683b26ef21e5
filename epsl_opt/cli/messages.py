"""What goes to stderr besides errors: notes, warnings and the log."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

import click

from epsl_opt.core.errors import MAX_LINE
from epsl_opt.core.plain_text import one_line, shorten

LOGGER, PYTHON_WARNINGS = "epsl_opt", "py.warnings"


class _ClickHandler(logging.Handler):
    """Writes to whatever stderr is at the time, in the command line's own voice."""

    def emit(self, record: logging.LogRecord) -> None:
        if not is_quiet() or record.levelno < logging.WARNING:
            say(self.format(record))


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.levelno >= logging.WARNING:
            return f"epsl-opt: {record.levelname.lower()}: {brief(record.getMessage())}"
        return super().format(record)


def configure_logging(debug: bool) -> None:
    """Send the package's warnings to stderr; if `debug`, everything it logs, and Python's warnings."""
    handler = _ClickHandler()
    handler.setFormatter(_Formatter("%(levelname)s %(name)s: %(message)s"))
    for name in (LOGGER, PYTHON_WARNINGS):
        logger = logging.getLogger(name)
        for old in [each for each in logger.handlers if isinstance(each, _ClickHandler)]:
            logger.removeHandler(old)
        if debug or name == LOGGER:
            logger.addHandler(handler)
    logging.getLogger(LOGGER).setLevel(logging.DEBUG if debug else logging.WARNING)


def is_quiet() -> bool:
    """Return whether the running command was given `--quiet`."""
    context = click.get_current_context(silent=True)
    return bool(context and context.params.get("quiet"))


def say(text: str) -> None:
    """Write to stderr, of what came from outside nothing that a terminal obeys; if nobody can hear it, so be it."""
    with suppress(OSError):
        click.echo("\n".join(map(one_line, text.split("\n"))), sys.stderr, err=True)


def note(message: str) -> None:
    """Tell the user something on stderr, unless `--quiet`."""
    if not is_quiet():
        say(f"epsl-opt: {brief(message)}")


def warn(message: str) -> None:
    """Warn the user on stderr, unless `--quiet`."""
    note(f"warning: {message}")


def complain(message: str) -> None:
    """Say why there is no result, even under `--quiet`."""
    say(f"epsl-opt: {brief(message)}")


def going_on(folder: object) -> str:
    """Return how what was interrupted can go on; None if there is no folder that it was kept in."""
    return "with --output DIR it could go on" if folder is None else "the same command goes on from here"


def brief(message: str) -> str:
    """Return a message as one line, and no longer than anybody reads."""
    return shorten(" ".join(message.splitlines()), MAX_LINE)
