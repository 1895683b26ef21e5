"""Names and numbers that the command line needs before anything is imported; this module imports nothing."""

from __future__ import annotations

MAX_WHOLE = 2**53
"""Beyond it, numbers of JSON are no longer whole."""

DEFAULT_SOLVER = "exact"
"""Who solves if nobody is named."""

DEFAULT_TIME_LIMIT_S, DEFAULT_REL_GAP = 60.0, 1e-4
"""Of a solve."""

DEFAULT_PLAN_GAP = 0.005
"""Of the solves of a plan: rounds to target are known far less sharply."""

DEADLINE_S = 0.1
"""From the arrival of an instance to its schedule."""

LIVE_SOLVER = "bcd"
"""Who solves instances as they come, if nobody else is asked for: it ends long before `DEADLINE_S` at 50 clients."""

LOCAL, DASK = "local", "dask"
ENGINES = (LOCAL, DASK)
"""Where the runs of a campaign may be made."""

DEFAULT_MAX_POWER_DBM, DEFAULT_SAMPLES = 31.76, 2000
"""Of a client: its limit on transmit power, the paper's; its share of the data, a reconstruction."""

DEFAULT_ROUNDS, DEFAULT_ROUNDS_TO_TARGET = 200, 1000
"""Of a training; at most, where it ends at a target accuracy."""

DEFAULT_EVALUATE_EVERY, DEFAULT_CHECKPOINT_EVERY = 10, 50
"""Rounds."""

DEFAULT_BACKEND, DEFAULT_TASK = "torch", "digits"
"""Who trains, and what, if nothing else is asked for."""

DEFAULT_FRAMEWORKS = ("epsl", "psl", "sfl", "sl", "fl")
"""What a comparison of frameworks trains."""

DEFAULT_TIMEOUT_S = 120.0
"""How long a rank waits for another one."""
