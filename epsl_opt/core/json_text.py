"""JSON text: strict in, for people to read out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from epsl_opt.core.errors import InputError
from epsl_opt.core.plain_text import is_visible, shown
from epsl_opt.core.reading import read_text, source_name


def read_json(source: str | Path) -> Any:
    """Parse a JSON file (`-` is standard input); a key given twice is an error.

    Raises
    ------
    InputError
        If it can't be read or is not JSON.
    """
    return parse_json(read_text(source), source_name(source))


def parse_json(text: str, name: str) -> Any:
    """Parse JSON text from a source of this name; a key given twice is an error.

    Raises
    ------
    InputError
        If it is not JSON.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise InputError(name, f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise InputError(name, "is nested too deeply") from error
    except ValueError as error:
        raise InputError(name, str(error)) from error


def format_json(data: object) -> str:
    """Return indented JSON with lists of numbers on one line each, ending in a newline."""
    return _format(data, "") + "\n"


def _format(data: object, indent: str) -> str:
    inner = indent + "  "
    if isinstance(data, dict) and data:
        items = [f"{inner}{json.dumps(str(key))}: {_format(value, inner)}" for key, value in data.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(data, list | tuple) and any(isinstance(entry, dict | list | tuple) for entry in data):
        return "[\n" + ",\n".join(inner + _format(entry, inner) for entry in data) + f"\n{indent}]"
    return _text(data)


def _text(data: object) -> str:
    """Return JSON on one line; characters that a terminal might obey, or nobody sees, are escaped."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=False)
    return text if text.isprintable() else "".join(c if is_visible(c) else json.dumps(c)[1:-1] for c in text)


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"field {shown(key)} is given twice")
        found[key] = value
    return found
