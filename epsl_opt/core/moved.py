"""Names of documented modules before they moved into rooms: they still import, with a `DeprecationWarning`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

MOVED = {
    "epsl_opt.arrivals": "epsl_opt.solving.arrivals",
    "epsl_opt.checker": "epsl_opt.core.checker",
    "epsl_opt.compare": "epsl_opt.campaigns.compare",
    "epsl_opt.documents": "epsl_opt.files.documents",
    "epsl_opt.engines": "epsl_opt.campaigns.engines",
    "epsl_opt.errors": "epsl_opt.core.errors",
    "epsl_opt.exporter": "epsl_opt.plugins.exporter",
    "epsl_opt.frameworks": "epsl_opt.core.frameworks",
    "epsl_opt.instance": "epsl_opt.core.instance",
    "epsl_opt.intervals": "epsl_opt.report.intervals",
    "epsl_opt.latency": "epsl_opt.core.latency",
    "epsl_opt.live": "epsl_opt.solving.live",
    "epsl_opt.plots": "epsl_opt.report.plots",
    "epsl_opt.plots.style": "epsl_opt.report.plots.style",
    "epsl_opt.registry": "epsl_opt.plugins.registry",
    "epsl_opt.results": "epsl_opt.core.results",
    "epsl_opt.schedule": "epsl_opt.core.schedule",
    "epsl_opt.solver": "epsl_opt.plugins.solver",
    "epsl_opt.sources": "epsl_opt.problems.sources",
    "epsl_opt.study": "epsl_opt.plugins.study",
    "epsl_opt.watch": "epsl_opt.solving.watch",
}
"""Old name -> new name."""


class OldNames(MetaPathFinder, Loader):
    """Finds a module under its old name, as a module that hands on all attributes of the new one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load an old name, None for any other."""
        if fullname not in MOVED:
            return None
        return spec_from_loader(fullname, self, is_package=any(name.startswith(f"{fullname}.") for name in MOVED))

    def exec_module(self, module: ModuleType) -> None:
        """Let the module hand on what it is asked for."""
        module.__dict__["__getattr__"] = handed_on(module.__name__, MOVED[module.__name__])


def handed_on(old: str, new: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a module whose content went to another one."""

    def hand_on(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {old!r} has no attribute {name!r}")
        found = getattr(import_module(new), name)
        warnings.warn(f"{old}.{name} is {new}.{name} now", DeprecationWarning, stacklevel=2)
        return found

    return hand_on


def install() -> None:
    """Let old names be found where nothing else is."""
    sys.meta_path.append(OldNames())
