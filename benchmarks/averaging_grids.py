"""The grids that `averaging.py` measures: one task with samples shared evenly, and with skewed labels."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.averaging_points import Point, Setting, averaged, wherever
from epsl_opt.core.framework import Framework

CUTS, EVERY, RATES = ("fc1", "pool2"), (5, 10), (0.2, 0.4)
GRID: tuple[Point, ...] = (
    *averaged(Framework.EPSL, (0.5, 0.75), EVERY, CUTS, RATES),
    *averaged(Framework.EPSL, (1.0,), (5,), CUTS, RATES),
    *averaged(Framework.PSL, (0.0,), EVERY, CUTS, RATES),
    *wherever(Framework.SFL, (0.1, 0.2, 0.4, 0.8)),
    *wherever(Framework.FL, (0.1, 0.2, 0.4, 0.8)),
    *wherever(Framework.SL, (0.02, 0.03, 0.05, 0.1)),
)
SCARCE = "paper:clients=20,subchannels=20,seed="
CELLS = (f"{SCARCE}1", f"{SCARCE}2", f"{SCARCE}3", f"{SCARCE}1,fading=rician")
IID = Setting("iid", CELLS, 0.90, GRID, rounds=120)
SKEWED = replace(IID, name="skewed", target_accuracy=0.88, options={"partition": "dirichlet", "alpha": 0.3})
SETTINGS = (IID, SKEWED)
