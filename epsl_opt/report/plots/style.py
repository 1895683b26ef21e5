"""The look of every picture, without touching matplotlib's global state for longer than one drawing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from epsl_opt.core import plain_text

STYLE_FILE = Path(__file__).with_name("epsl.mplstyle")

STAGE_COLOURS = {
    "client forward": "#56B4E9",
    "uplink": "#E69F00",
    "server forward": "#0072B2",
    "server backward": "#5E3C99",
    "broadcast": "#D55E00",
    "downlink": "#F0E442",
    "client backward": "#009E73",
}
"""Stage of the round -> colour; Okabe-Ito, with a dark violet where it has no eighth usable tone."""

EXCHANGE_COLOURS = {"model download": "#CC79A7", "model upload": "#999999", "model broadcast": "#4D4D4D"}
"""Stage -> colour, of those that there are only where models are sent."""

MARK = "#B2182B"
"""For what the reader should look at: barriers, the best bound."""


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw with the project's style and matplotlib's defaults, whatever the user's own settings are."""
    with matplotlib.style.context(STYLE_FILE, after_reset=True):
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure outside of pyplot, size in inches."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def shorten(name: str, limit: int = 24) -> str:
    """Return a name that fits beside an axis."""
    return plain_text.shorten(plain_text.one_line(" ".join(name.split())), limit)
