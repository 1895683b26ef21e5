"""Strategies that damage files: bytes anywhere, and any value of a JSON document; shared by tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

DEEP = "[" * 5000 + "]" * 5000
ODD_TEXTS = [
    "null", "true", "-1", "0", "1", "1.5", '""', '"x"', "[]", "{}", "[[]]", '{"a": 1}', "NaN", "Infinity", "-Infinity",
    "1e999", "1" + "0" * 400, "1" * 5000, '"\\ud800"', '"\\u0000"', DEEP,
]  # fmt: skip
"""JSON values, or what some take for JSON, that are seldom the right ones."""

_HOLE = "\x00hole\x00"


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Flip a bit, delete or replace a stretch, or cut the end off."""
    begin = draw(st.integers(0, len(content) - 1))
    kind = draw(st.sampled_from(["flip", "delete", "replace", "truncate", "empty"]))
    if kind == "flip":
        return content[:begin] + bytes([content[begin] ^ 1 << draw(st.integers(0, 7))]) + content[begin + 1 :]
    if kind == "delete":
        return content[:begin] + content[begin + draw(st.integers(1, 20)) :]
    if kind == "replace":
        return content[:begin] + draw(st.binary(min_size=1, max_size=20)) + content[begin + 1 :]
    return content[:begin] if kind == "truncate" else b""


@st.composite
def damaged_json(draw: st.DrawFn, content: bytes) -> bytes:
    """Replace, delete or double a value of a JSON document, wherever it is."""
    document = json.loads(content)
    path = draw(st.sampled_from(list(_paths(document))))
    if not path:
        return draw(st.sampled_from(ODD_TEXTS)).encode()
    parent: Any = document
    for part in path[:-1]:
        parent = parent[part]
    kind = draw(st.sampled_from(["replace", "replace", "delete", "double"]))
    if kind == "delete":
        del parent[path[-1]]
    elif kind == "double" and isinstance(parent, list):
        parent.append(parent[int(path[-1])])
    elif kind == "double":
        parent[f"{path[-1]}2"] = parent[str(path[-1])]
    else:
        parent[path[-1]] = _HOLE
    return json.dumps(document).replace(json.dumps(_HOLE), draw(st.sampled_from(ODD_TEXTS))).encode()


def _paths(document: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    items = document.items() if isinstance(document, dict) else enumerate(document) if _is_list(document) else ()
    for key, value in items:
        yield from _paths(value, (*path, key))


def _is_list(document: Any) -> bool:
    return isinstance(document, list)
