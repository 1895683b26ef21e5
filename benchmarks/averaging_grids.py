"""The grids that `averaging.py` measures: one task with samples shared evenly, and with skewed labels."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.averaging_points import Point, Setting, averaged, wherever
from epsl_opt.core.framework import Framework

CUTS, EVERY, RATES = ("fc1", "pool2"), (5, 10), (0.2, 0.4)
LATE, OFTEN, FAST = ("fc1",), (5,), (0.6,)
AVERAGED_RATES, SEQUENTIAL_RATES = (0.05, 0.1, 0.2, 0.4, 0.8), (0.02, 0.03, 0.05, 0.1)
GRID: tuple[Point, ...] = (
    *averaged(Framework.EPSL, (0.5, 0.75), EVERY, CUTS, RATES),
    *averaged(Framework.EPSL, (1.0,), OFTEN, CUTS, RATES),
    *averaged(Framework.EPSL, (0.5, 0.75), OFTEN, LATE, FAST),
    *averaged(Framework.PSL, (0.0,), EVERY, CUTS, RATES),
    *averaged(Framework.PSL, (0.0,), OFTEN, LATE, FAST),
    *wherever(Framework.SFL, AVERAGED_RATES),
    *wherever(Framework.FL, AVERAGED_RATES),
    *wherever(Framework.SL, SEQUENTIAL_RATES),
)
SMALLER_GRID: tuple[Point, ...] = (
    *averaged(Framework.EPSL, (0.5,), EVERY, LATE, RATES),
    *averaged(Framework.EPSL, (0.75,), OFTEN, LATE, RATES),
    *averaged(Framework.PSL, (0.0,), EVERY, LATE, RATES),
    *wherever(Framework.SFL, AVERAGED_RATES[:3]),
    *wherever(Framework.FL, AVERAGED_RATES[:3]),
    *wherever(Framework.SL, SEQUENTIAL_RATES),
)
SCARCE = "paper:clients=20,subchannels=20,seed="
CELLS = (f"{SCARCE}1", f"{SCARCE}2", f"{SCARCE}3", f"{SCARCE}1,fading=rician")
SKEW = {"partition": "dirichlet", "alpha": 0.3}
IID = Setting("iid", CELLS, 0.90, GRID, rounds=120)
SKEWED = replace(IID, name="skewed", target_accuracy=0.88, grid=SMALLER_GRID, options=SKEW)
SETTINGS = (IID, SKEWED)
