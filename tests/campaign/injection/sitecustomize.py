"""In every Python process of a kill trial: log each file replacement, and end the process group at one of them."""

import os
import signal
from typing import Any

LOG, AT, WHEN = (os.environ.get(f"CAMPAIGN_KILL_{name}") for name in ("LOG", "AT", "WHEN"))


def _watched(genuine: Any) -> Any:
    def replace(source: Any, target: Any, **options: Any) -> None:
        global _count  # noqa: PLW0603
        _count += 1
        if WHEN == "before" and str(_count) == AT:
            os.killpg(0, signal.SIGKILL)
        genuine(source, target, **options)
        if LOG:
            with open(LOG, "a", encoding="utf-8", errors="replace") as log:  # noqa: PTH123
                log.write(f"{target}\n")
        if WHEN == "after" and str(_count) == AT:
            os.killpg(0, signal.SIGKILL)

    return replace


_count = 0
if LOG or AT:
    os.replace, os.rename = _watched(os.replace), _watched(os.rename)
