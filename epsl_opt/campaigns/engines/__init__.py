"""Where the runs of a campaign are run: in this process, in processes of this machine, or on a Dask cluster."""

from epsl_opt.campaigns.engines.choose import open_engine, processors
from epsl_opt.campaigns.engines.dispatch import run_tasks
from epsl_opt.campaigns.engines.engine import Done, Engine, Failed, Outcome, Outcomes, Task
from epsl_opt.campaigns.engines.here import ThisProcess
from epsl_opt.core.defaults import DASK, ENGINES, LOCAL

__all__ = [
    "DASK",
    "ENGINES",
    "LOCAL",
    "Done",
    "Engine",
    "Failed",
    "Outcome",
    "Outcomes",
    "Task",
    "ThisProcess",
    "open_engine",
    "processors",
    "run_tasks",
]
