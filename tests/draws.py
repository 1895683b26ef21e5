"""How much random tests draw: little, and always the same, in the suite; more, and other things, in a campaign.

A campaign sets the variable `VARIABLE` to a number of its own, and takes the tests that hypothesis draws for and those
marked `drawn`.
"""

from __future__ import annotations

import os

from hypothesis import settings

VARIABLE = "EPSL_OPT_FIRST_DRAW"
FIRST = os.environ.get(VARIABLE)


def draws(n: int, first: int = 0) -> range:
    """Return n seeds: those from the first on, or from the campaign's number on."""
    start = first if FIRST is None else int(FIRST)
    return range(start, start + n)


def examples(n: int) -> settings:
    """Let hypothesis draw n examples; in a campaign, as many as its profile says."""
    return settings(max_examples=n) if FIRST is None else settings()


def seconds(suite: float, campaign: float) -> float:
    """Return how long to look for what should not be there."""
    return suite if FIRST is None else campaign
