"""Files made wrong: bytes flipped, cut and put in, and values replaced in the way of each format."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from campaign.nasty import CHUNKS, JSON_LITERALS, LONG_TEXT, NUMBERS, TEXTS, TOML_LITERALS

Mutation = Callable[[np.random.Generator, bytes], bytes]

BYTES_SHARE = 0.25
"""Of mutations that know nothing of the format."""


def mutated(rng: np.random.Generator, content: bytes, suffix: str) -> bytes:
    """Return the content of a file made wrong, or at least other; `suffix` says of which format it is."""
    by_format: dict[str, Mutation] = {".json": _json, ".toy": _json, ".toml": _toml, ".csv": _csv}
    if suffix not in by_format or rng.uniform() < BYTES_SHARE:
        return _bytes(rng, content)
    for _ in range(int(rng.choice([1, 1, 1, 2]))):
        content = by_format[suffix](rng, content)
    return content


def _bytes(rng: np.random.Generator, content: bytes) -> bytes:
    mutations: tuple[Mutation, ...] = (_flipped, _flipped, _cut, _without_range, _doubled_range, _chunk, _encoded)
    return mutations[int(rng.integers(len(mutations)))](rng, content)


def _place(rng: np.random.Generator, content: bytes) -> int:
    return int(rng.integers(0, len(content) + 1))


def _flipped(rng: np.random.Generator, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 1, 3, 20]))):
        if changed:
            changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _cut(rng: np.random.Generator, content: bytes) -> bytes:
    return content[: _place(rng, content)] if rng.uniform() < 0.9 else b""


def _without_range(rng: np.random.Generator, content: bytes) -> bytes:
    start = _place(rng, content)
    return content[:start] + content[start + int(rng.integers(1, 200)) :]


def _doubled_range(rng: np.random.Generator, content: bytes) -> bytes:
    start = _place(rng, content)
    end = start + int(rng.integers(1, 200))
    return content[:end] + content[start:]


def _chunk(rng: np.random.Generator, content: bytes) -> bytes:
    place = _place(rng, content)
    return content[:place] + CHUNKS[int(rng.integers(len(CHUNKS)))] + content[place:]


def _encoded(rng: np.random.Generator, content: bytes) -> bytes:
    """The same text with a byte order mark, with other ends of lines, or in another encoding."""
    text = content.decode("utf-8", errors="replace")
    ways = (
        codecs.BOM_UTF8 + content,
        content.replace(b"\n", b"\r\n"),
        content.replace(b"\n", b"\r"),
        text.encode("utf-16"),
        text.encode("latin-1", errors="replace"),
    )
    return ways[int(rng.integers(len(ways)))]


RAW = re.compile(r'"\\u0001(\d+)\\u0001"')
"""A literal that `json.dumps` would not write stands in the tree as a text of this kind."""


def _json(rng: np.random.Generator, content: bytes) -> bytes:
    """Change one value, key or list of a JSON document."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return _bytes(rng, content)
    changes = (_replaced, _replaced, _replaced, _scaled, _removed, _added, _resized, _moved)
    holder: dict[str, Any] = {"root": tree}
    changes[int(rng.integers(len(changes)))](rng, holder)
    text = json.dumps(holder["root"], indent=2)
    text = RAW.sub(lambda match: JSON_LITERALS[int(match[1])], text)
    return (_with_twin(rng, text) if rng.uniform() < 0.03 else text).encode("utf-8", errors="surrogatepass")


def _spots(tree: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value below a container; of a long list of numbers, a few."""
    found: list[tuple[Any, Any]] = []
    keys = list(tree) if isinstance(tree, dict) else [*range(min(len(tree), 4))]
    for key in keys:
        found.append((tree, key))
        if isinstance(tree[key], dict | list):
            found += _spots(tree[key])
    return found


def _spot(rng: np.random.Generator, holder: dict[str, Any]) -> tuple[Any, Any]:
    spots = _spots(holder)
    return spots[int(rng.integers(len(spots)))]


def nasty_json(rng: np.random.Generator) -> Any:
    """Return a value to stand in a JSON tree: a raw literal, text or long text."""
    kind = rng.uniform()
    if kind < 0.6:
        return f"\x01{int(rng.integers(len(JSON_LITERALS)))}\x01"
    return LONG_TEXT if kind > 0.98 else TEXTS[int(rng.integers(len(TEXTS)))]


def _replaced(rng: np.random.Generator, holder: dict[str, Any]) -> None:
    container, key = _spot(rng, holder)
    like_text = isinstance(container[key], str) and rng.uniform() < 0.7
    container[key] = TEXTS[int(rng.integers(len(TEXTS)))] if like_text else nasty_json(rng)


def _scaled(rng: np.random.Generator, holder: dict[str, Any]) -> None:
    """Change a number by orders of magnitude, or a little."""
    numbers = [(c, k) for c, k in _spots(holder) if isinstance(c[k], int | float) and not isinstance(c[k], bool)]
    if not numbers:
        return _replaced(rng, holder)
    container, key = numbers[int(rng.integers(len(numbers)))]
    factor = float(rng.choice([-1, 0, 1 + 1e-12, 1 + 1e-7, 0.5, 2, 1e3, 1e-9, 1e12, 1e100, 1e-100]))
    container[key] = float(min(max(container[key] * factor, -1.7e308), 1.7e308))
    return None


def _removed(rng: np.random.Generator, holder: dict[str, Any]) -> None:
    container, key = _spot(rng, holder)
    if container is not holder:
        del container[key]


def _added(rng: np.random.Generator, holder: dict[str, Any]) -> None:
    containers = [c for c, _ in _spots(holder)[1:]] or [holder]
    container = containers[int(rng.integers(len(containers)))]
    if isinstance(container, dict):
        container[TEXTS[int(rng.integers(len(TEXTS)))]] = nasty_json(rng)
    else:
        container.insert(int(rng.integers(len(container) + 1)), nasty_json(rng))


def _resized(rng: np.random.Generator, holder: dict[str, Any]) -> None:
    """Make a list shorter or longer."""
    lists = [c[k] for c, k in _spots(holder) if isinstance(c[k], list) and c[k]]
    if lists:
        chosen = lists[int(rng.integers(len(lists)))]
        chosen[:] = [[], chosen[:-1], chosen + chosen[-1:], chosen * 50, chosen[::-1]][int(rng.integers(5))]


def _moved(rng: np.random.Generator, holder: dict[str, Any]) -> None:
    """Put one value of the document in the place of another."""
    (source, key), (target, place) = _spot(rng, holder), _spot(rng, holder)
    target[place] = json.loads(json.dumps(source[key]))


def _with_twin(rng: np.random.Generator, text: str) -> str:
    """Give a field twice."""
    lines = [position for position, line in enumerate(text.splitlines()) if line.rstrip().endswith(",") and ":" in line]
    if not lines:
        return text
    all_lines, chosen = text.splitlines(), lines[int(rng.integers(len(lines)))]
    return "\n".join([*all_lines[: chosen + 1], all_lines[chosen], *all_lines[chosen + 1 :]])


def _toml(rng: np.random.Generator, content: bytes) -> bytes:
    """Replace a value, or repeat, rename or remove a line."""
    lines = content.decode(errors="replace").splitlines()
    chosen = int(rng.integers(len(lines))) if lines else 0
    key, equals, _ = lines[chosen].partition("=") if lines else ("a", "=", "")
    kind = rng.uniform()
    if kind < 0.7 and equals:
        lines[chosen] = f"{key}= {TOML_LITERALS[int(rng.integers(len(TOML_LITERALS)))]}"
    elif kind < 0.8:
        lines[chosen:chosen] = lines[chosen : chosen + 1]
    elif kind < 0.9:
        lines[chosen:chosen] = [f"{json.dumps(TEXTS[int(rng.integers(len(TEXTS)))])} = 1"]
    else:
        del lines[chosen : chosen + 1]
    return "\n".join(lines).encode()


def _csv(rng: np.random.Generator, content: bytes) -> bytes:
    """Replace, remove or add a cell or a line."""
    lines = [line.split(",") for line in content.decode(errors="replace").splitlines()]
    if not lines:
        return _bytes(rng, content)
    row = lines[int(rng.integers(len(lines)))]
    column, kind = int(rng.integers(len(row))), rng.uniform()
    if kind < 0.6:
        values = (*TEXTS, *NUMBERS, LONG_TEXT)
        row[column] = values[int(rng.integers(len(values)))]
    elif kind < 0.7:
        del row[column]
    elif kind < 0.8:
        row.insert(column, "1")
    elif kind < 0.9:
        lines.remove(row)
    else:
        lines.append(row)
    return "\n".join(map(",".join, lines)).encode("utf-8", errors="surrogatepass")
