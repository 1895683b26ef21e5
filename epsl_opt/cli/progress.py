"""A live line on stderr while a solver runs, if somebody is there to see it."""

from __future__ import annotations

import contextlib
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from epsl_opt.cli.messages import is_quiet
from epsl_opt.cli.units import NOTHING, number, percent

if TYPE_CHECKING:
    from rich.text import Text

    from epsl_opt.plugins.monitor import SolveMonitor


class LiveLine(ABC):
    """A line of text that says anew, whenever it is drawn, how things are."""

    @abstractmethod
    def text(self) -> str:
        """Return the line."""

    def __rich__(self) -> Text:
        from rich.text import Text

        return Text(self.text(), no_wrap=True, overflow="ellipsis", style="dim")


LineT = TypeVar("LineT", bound=LiveLine)


class ProgressLine(LiveLine):
    """What is known of the running solve: solver, elapsed time, incumbent, bound, gap."""

    def __init__(self) -> None:
        self.start("")

    def start(self, label: str) -> None:
        """Begin another run under this label."""
        self._label, self._since_s = label, time.perf_counter()
        self._known = self._activity = ""

    def listen(self, monitor: SolveMonitor) -> None:
        """Take over what the monitor knows."""
        incumbent = number(monitor.latency_s) + " s" if monitor.incumbent is not None else NOTHING
        bound = NOTHING if monitor.bound_s is None else number(monitor.bound_s) + " s"
        self._known = f"incumbent {incumbent}  bound {bound}  gap {percent(monitor.gap)}"
        self._activity = monitor.activity

    def text(self) -> str:
        """Return the line."""
        elapsed = f"{time.perf_counter() - self._since_s:.0f} s"
        return "  ".join(part for part in (self._label, elapsed, self._known, self._activity) if part)


@contextlib.contextmanager
def live_progress() -> Iterator[ProgressLine]:
    """Show a solve's progress on stderr while the block runs; nothing if stderr is no terminal, or under `--quiet`."""
    with live(ProgressLine()) as line:
        yield line


@contextlib.contextmanager
def live(line: LineT) -> Iterator[LineT]:
    """Show a line that changes on stderr while the block runs; nothing if stderr is no terminal, or under `--quiet`."""
    if is_quiet() or not sys.stderr.isatty():
        yield line
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    with Live(line, console=console, transient=True, redirect_stdout=False, redirect_stderr=False):
        yield line
