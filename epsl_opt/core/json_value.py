"""What JSON can hold, as a type; this module imports nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
"""A value that JSON can hold; lists and objects are not written to."""

JsonDict = dict[str, JsonValue]
"""A JSON object of one's own."""
