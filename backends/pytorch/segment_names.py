"""How segments are called: after the module they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def segment_names(paths: Sequence[Sequence[str]]) -> list[str]:
    """Return unique names of segments, given the paths of the operations that each is named after.

    A segment is called as the innermost module that holds all its operations and none of another segment's; failing
    that, as its last operation. What comes again gets a number.
    """
    seen: Counter[str] = Counter()
    names = []
    for i, own in enumerate(paths):
        others = [path for j, group in enumerate(paths) if j != i for path in group]
        name = _common_module(own)
        if not name or any(path == name or path.startswith(f"{name}.") for path in others):
            name = own[-1]
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return names


def _common_module(paths: Sequence[str]) -> str:
    common: list[str] = []
    for steps in zip(*(path.split(".") for path in paths), strict=False):
        if len(set(steps)) > 1:
            break
        common.append(steps[0])
    return ".".join(common)
