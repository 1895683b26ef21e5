"""Whether a command line ended as it should: exit code, one line of error, clean terminal, whole output."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from campaign.command import Outcome
from campaign.faults import Fault, FaultKind, shown

EXIT_CODES = {0, 1, 2, 3, 4, 5, 130}

LONGEST_LINE = 2000
"""Characters of a message that a person still reads."""

ALLOWED_ERRORS = re.compile(r"^epsl-opt: training diverged in ", re.MULTILINE)
"""Exit code 1 that the documentation promises: input may ask for a training that diverges."""

PLAIN = {"--version", "--help", "-h"}
"""What is plain text, whatever the format."""

_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def command_faults(outcome: Outcome) -> Iterator[Fault]:
    """Yield what is wrong with the end of a command line, whatever the input was."""
    if outcome.escaped:
        kind = FaultKind.HANGS if outcome.escaped.startswith("NoEnd") else FaultKind.EXCEPTION
        yield Fault(kind, outcome.line, outcome.escaped)
    elif outcome.code not in EXIT_CODES:
        yield Fault(FaultKind.EXIT_CODE, outcome.line, f"{outcome.code}: {_last_line(outcome)}")
    elif outcome.code == 1 and not ALLOWED_ERRORS.search(outcome.stderr):
        yield Fault(FaultKind.EXIT_1, outcome.line, _end(outcome.stderr) or outcome.stdout)
    if "--debug" not in outcome.arguments and "Traceback (most recent call last)" in outcome.stderr + outcome.stdout:
        yield Fault(FaultKind.TRACEBACK, outcome.line, _last_line(outcome))
    if outcome.warnings:
        yield Fault(FaultKind.WARNING, outcome.line, "; ".join(dict.fromkeys(outcome.warnings)))
    yield from _text_faults(outcome)


def _text_faults(outcome: Outcome) -> Iterator[Fault]:
    for name, text in (("stderr", outcome.stderr), ("stdout", outcome.stdout if outcome.around.terminal else "")):
        if unsafe := unsafe_characters(text):
            yield Fault(FaultKind.CONTROL_CHARACTERS, outcome.line, f"{name} has {unsafe}")
    longest = max((len(line) for line in outcome.stderr.splitlines()), default=0)
    if longest > LONGEST_LINE:
        yield Fault(FaultKind.ERROR_LINE, outcome.line, f"stderr has a line of {longest} characters")
    if outcome.code == 2 and not _last_line(outcome).startswith("epsl-opt: "):
        yield Fault(FaultKind.ERROR_LINE, outcome.line, f"last line is {_last_line(outcome)!r}")
    if _promises_json(outcome) and not is_json(outcome.stdout):
        yield Fault(FaultKind.BROKEN_OUTPUT, outcome.line, f"no JSON: {shown(outcome.stdout, 80)}")


def _promises_json(outcome: Outcome) -> bool:
    if outcome.code != 0 or outcome.around.full or not outcome.stdout or PLAIN.intersection(outcome.arguments):
        return False
    return _form(outcome) == "json"


def unsafe_characters(text: str) -> str:
    """Return the first characters that a terminal should not get, written as escapes."""
    found = {c for c in text if c not in "\n\t" and unicodedata.category(c) in _UNSAFE}
    return shown("".join(sorted(found)[:5]))


def is_json(text: str) -> bool:
    """Return whether the text is JSON or a line of JSON after the other, without NaN and infinities."""
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        lines = text.splitlines()
        return len(lines) > 1 and all(map(is_json, lines))
    return True


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _form(outcome: Outcome) -> str:
    """Return the format that was asked for; the last one counts."""
    arguments = outcome.arguments
    given = [value for name, value in pairwise(arguments) if name in ("-f", "--format")]
    return given[-1] if given else "table"


def _end(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-2:])


def _last_line(outcome: Outcome) -> str:
    lines = outcome.stderr.strip().splitlines()
    return lines[-1] if lines else ""
