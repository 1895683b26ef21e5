"""Draw who imports whom: rooms on floors, each above all that it imports, and circles where there are any.

    python -m docs_tools.imports
    python -m docs_tools.imports --modules PACKAGE_FOLDER

Every import counts, wherever it stands in a module, except those for type checkers alone.
"""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "epsl_opt"

SPLIT = {"backends"}
"""Folders whose parts are rooms: one of them has a command line of its own."""

Graph = dict[str, set[str]]


def modules(package: Path) -> dict[str, Path]:
    """Return the files of a package by the dotted names of its modules; links to folders are followed."""
    found = {}
    for folder, _, names in os.walk(package, followlinks=True):
        for name in names:
            if name.endswith(".py"):
                path = Path(folder, name)
                dotted = path.relative_to(package.parent).with_suffix("").as_posix().replace("/", ".")
                found[dotted.removesuffix(".__init__")] = path
    return dict(sorted(found.items()))


def imports(package: Path) -> Graph:
    """Return which modules of a package each of its modules imports."""
    known = modules(package)
    return {name: set(imported(path, known)) - {name} for name, path in known.items()}


def imported(path: Path, known: Iterable[str]) -> Iterator[str]:
    """Give the known modules that a file imports."""
    for node in running(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (one if one in known else node.module for one in inside if {one, node.module} & set(known))


def running(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, leaving out what only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from running(node)


def by_room(graph: Graph) -> Graph:
    """Return which rooms, the folders right below the package or below one of `SPLIT`, each room imports."""
    rooms: Graph = {}
    for name, targets in graph.items():
        if room := room_of(name):
            rooms.setdefault(room, set()).update(filter(None, map(room_of, targets)))
    return {room: targets - {room} for room, targets in rooms.items()}


def room_of(module: str) -> str:
    """Return the room in a module's name, empty for what lies in none."""
    parts = module.split(".")[1:]
    if parts in ([], ["__main__"], *([folder] for folder in SPLIT)):
        return ""
    return ".".join(parts[:2]) if parts[0] in SPLIT else parts[0]


def floors(graph: Graph) -> list[list[str]]:
    """Return names by floor, the lowest first: each stands right above the highest of what it imports.

    Raises
    ------
    graphlib.CycleError
        If there is a circle; its second argument is the circle.
    """
    level: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        level[name] = 1 + max((level[one] for one in graph.get(name, ())), default=-1)
    height = max(level.values(), default=-1) + 1
    return [sorted(name for name, floor in level.items() if floor == number) for number in range(height)]


def drawing(graph: Graph) -> str:
    """Return a line per floor, the highest first, and below each name what it imports."""
    stories = floors(graph)
    lines = []
    for number, story in reversed(list(enumerate(stories))):
        lines.append(f"{number:>3}  {'  '.join(story)}")
        lines += [f"       {name} -> {', '.join(sorted(graph[name]))}" for name in story if graph.get(name)]
    return "\n".join([*lines, f"{sum(map(len, stories))} names on {len(stories)} floors, no circle"])


def main() -> int:
    """Return 0, or 1 if there is a circle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", nargs="?", type=Path, default=PACKAGE, help="default: the package of this checkout")
    parser.add_argument("--modules", action="store_true", help="draw modules instead of rooms")
    args = parser.parse_args()
    graph = imports(args.package)
    try:
        print(drawing(graph if args.modules else by_room(graph)))
    except CycleError as error:
        print(f"a circle: {' -> '.join(error.args[1])}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
