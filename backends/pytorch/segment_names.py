"""How segments are called: after the module they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Head:
    """What a segment is named after.

    Parameters
    ----------
    computing
        Paths of the operations with FLOPs.
    all
        Paths of these and of the operations that can't be cut from them.
    """

    computing: Sequence[str]
    all: Sequence[str]


def segment_names(heads: Sequence[Head]) -> list[str]:
    """Return unique names.

    A segment is called as the innermost module that holds all of its head, or all that computes in it, and nothing
    that computes in another segment; failing that, as the last operation that computes. What comes again gets a number.
    """
    seen: Counter[str] = Counter()
    names = []
    for head in heads:
        others = [path for other in heads if other is not head for path in other.computing]
        modules = (_common_module(head.all), _common_module(head.computing))
        own = (module for module in modules if module and not any(_is_within(path, module) for path in others))
        name = next(own, head.computing[-1])
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def _is_within(path: str, module: str) -> bool:
    return path == module or path.startswith(f"{module}.")


def _common_module(paths: Sequence[str]) -> str:
    common: list[str] = []
    for steps in zip(*(path.split(".") for path in paths), strict=False):
        if len(set(steps)) > 1:
            break
        common.append(steps[0])
    return ".".join(common)
