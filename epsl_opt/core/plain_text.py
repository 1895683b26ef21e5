"""Text from outside, made fit to be printed: one line, no control characters, no change of direction, not too long."""

from __future__ import annotations

import reprlib
import unicodedata

MAX_VALUE = 60
"""Characters of a value in a message."""


def one_line(text: str) -> str:
    """Escape line breaks, control characters, changes of direction and all else that can't be seen, except spaces."""
    return text if text.isprintable() else "".join(c if is_visible(c) else _escaped(c) for c in text)


def shorten(text: str, limit: int = MAX_VALUE) -> str:
    """Return a text of at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown(value: object, limit: int = MAX_VALUE) -> str:
    """Return a value as a message quotes it, however much it holds."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = limit + 2  # quotes
    brief.maxlevel = 2
    try:
        # Of a text of megabytes only the beginning is worth quoting.
        plain = repr(value[: limit + 1]) if isinstance(value, str | bytes) else None
        return shorten(plain or (repr(value) if isinstance(value, int | float) else brief.repr(value)), limit)
    except ValueError:
        return shorten("an integer of too many digits", limit)


def is_visible(character: str) -> bool:
    """Return whether a character can stand in a line of text as it is."""
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
