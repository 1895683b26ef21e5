"""An engine by its name."""

from __future__ import annotations

import os

from epsl_opt.campaigns.engines.engine import Engine
from epsl_opt.campaigns.engines.here import ThisProcess
from epsl_opt.core.defaults import DASK, ENGINES, LOCAL
from epsl_opt.core.errors import InputError


def open_engine(
    name: str, jobs: int | None, scheduler: str | None = None, threads: int | None = None, *, here: bool = False
) -> Engine:
    """Return the engine that runs tasks; to be closed.

    Parameters
    ----------
    name
        `local`, processes of this machine, or `dask`.
    jobs
        Tasks at a time; as many as there are processors, or workers of the cluster, if None.
    scheduler
        The address of the cluster's scheduler.
    threads
        That each task computes on; one if None.
    here
        Whether one local task at a time, which None then is, is run in this process.

    Raises
    ------
    InputError
        If there is no such engine, its packages are not installed, or the cluster can't be used.
    """
    if name not in ENGINES:
        raise InputError("--engine", f"must be one of {', '.join(ENGINES)}, got {name!r}")
    if (name == DASK) != (scheduler is not None):
        raise InputError("--scheduler", "is the address of a Dask scheduler, to be given with --engine dask")
    if here and name == LOCAL and (jobs or 1) == 1:
        return ThisProcess()
    if scheduler is None:
        from epsl_opt.campaigns.engines.local import LocalProcesses

        return LocalProcesses(jobs or processors(), threads or 1)
    try:
        from epsl_opt.campaigns.engines.dask_cluster import DaskCluster
    except ImportError as error:
        raise InputError("--engine", f'dask needs the package {error.name}: pip install "epsl-opt[dask]"') from error
    return DaskCluster(scheduler, jobs, threads or 1)


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
