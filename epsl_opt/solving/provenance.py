"""What is needed to repeat a run."""

from __future__ import annotations

import math
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from epsl_opt.core.distribution import version
from epsl_opt.core.json_value import JsonDict
from epsl_opt.core.options import Options
from epsl_opt.core.results import Limits
from epsl_opt.plugins.solver import AnySolver

PACKAGES = ("epsl-opt", "numpy", "scipy", "highspy", "pyomo", "cvxpy", "clarabel")


def provenance(solver: AnySolver, options: Options, limits: Limits) -> JsonDict:
    """Return versions, processor, threads, seed and options of a run, ready for JSON."""
    return {
        "versions": dict(versions()),
        "cpu": cpu(),
        "cpu_count": os.cpu_count(),
        "threads": limits.threads,
        "seed": limits.seed,
        "time_limit_s": limits.time_s if math.isfinite(limits.time_s) else None,
        "rel_gap": limits.rel_gap,
        "solver_kind": str(solver.kind),
        "options": options.model_dump(mode="json"),
    }


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return (package, version) of what a latency or bound may depend on, Python first."""
    found = [("python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)


@cache
def cpu() -> str:
    """Return the processor's model name, as well as the platform tells it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
