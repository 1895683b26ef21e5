"""How the tests run: Ctrl-C is heard, and property tests are repeatable and quick by default.

`--hypothesis-profile=thorough` searches further, and a campaign (`draws.py`) elsewhere each time.
"""

from __future__ import annotations

import gc
import signal

import matplotlib as mpl
from hypothesis import HealthCheck, settings

mpl.use("Agg")

if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
    # Under nohup or in a shell's background Ctrl-C is ignored, by us and by all that we start, unless we listen.
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "quick",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=1000, derandomize=False)
settings.register_profile("campaign", settings.get_profile("quick"), max_examples=100, derandomize=False)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """Have no garbage collection look again through all that the modules hold: they stay."""
    gc.collect()
    gc.freeze()
