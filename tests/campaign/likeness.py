"""Whether two folders hold the same results, apart from what differs from run to run anyway, such as times."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from campaign.tree import Snapshot

ALWAYS_VARIES = re.compile(r"(overrun_s|elapsed_s|real_time_s|build_s|solve_s)$")
"""Fields that two runs may by chance agree in."""


def differences(one: Snapshot, other: Snapshot) -> frozenset[str]:
    """Return where two folders differ: files that only one has, and fields of tables and documents."""
    found = {name for name in {*one, *other} if name not in one or name not in other}
    for name in sorted({*one} & {*other}):
        if one[name] != other[name]:
            found |= set(_within(name, one[name], other[name]))
    return frozenset(place for place in found if not ALWAYS_VARIES.search(place))


def _within(name: str, one: bytes, other: bytes) -> Iterator[str]:
    try:
        if name.endswith(".json"):
            yield from _unequal(json.loads(one), json.loads(other), f"{name}: ")
            return
        if name.endswith(".csv"):
            yield from _unequal(_rows(one), _rows(other), f"{name}: ")
            return
    except ValueError:
        pass
    yield name


def _rows(content: bytes) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def _unequal(one: Any, other: Any, place: str) -> Iterator[str]:
    """Yield the places, list positions left out, at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _unequal(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(one, other, strict=True):
            yield from _unequal(left, right, f"{place}[]")
    elif one != other:
        yield place
