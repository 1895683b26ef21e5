"""Tasks, solvers and processes that behave well or badly in other processes, which find them here."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from epsl_opt import InputError, Instance, Options, Schedule, SolveMonitor, Solver, SolverKind, StopReason

PATIENCE_S = 120.0


def wait_for(path: Path) -> str:
    """Return what is in a file once it is there."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not path.exists():
        if time.monotonic() > deadline_s:
            raise TimeoutError(path)
        time.sleep(0.02)
    return path.read_text()


def publish(path: Path, text: str) -> None:
    """Write a file that is never seen half written."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


def command_line(pid: int) -> bytes:
    """Return what a process runs; nothing if it has ended, even if nobody has asked how."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Unsendable:
    """What no pipe takes."""

    def __reduce__(self) -> Any:
        raise TypeError("is glued to its process")


def act(order: str) -> Any:
    """Do what the text says: a word and what it is about."""
    word, _, about = order.partition(" ")
    return {
        "square": lambda: int(about) ** 2,
        "fail": lambda: _raise(RuntimeError(about)),
        "refuse": lambda: _raise(InputError("file", "is wrong", "field")),
        "keep": Unsendable,
        "die": lambda: _die(Path(about)),
        "stay": lambda: _stay(Path(about)),
        "interrupt": lambda: os.kill(os.getpid(), signal.SIGINT) or "still there",
        "pid": os.getpid,
        "hang": lambda: (publish(Path(about), str(os.getpid())), time.sleep(PATIENCE_S)),
        "threads": _threads,
    }[word]()


def _raise(error: Exception) -> None:
    raise error


def _die(log: Path) -> str:
    """Note it and kill this process, unless the log has enough lines."""
    with log.open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    if len(log.read_text().split()) <= int(log.suffix[1:]):
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def _stay(log: Path) -> str:
    """Note it and do not come to an end before the log has enough lines."""
    with log.open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    deadline_s = time.monotonic() + PATIENCE_S
    while len(log.read_text().split()) <= int(log.suffix[1:]) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return "done"


def _threads() -> tuple[str | None, set[int]]:
    """Return what the environment and the libraries say."""
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    return os.environ.get("OMP_NUM_THREADS"), {pool["num_threads"] for pool in threadpool_info()}


class HostageOptions(Options):
    """Where to wait."""

    place: str = ""
    """Folder for messages."""
    on: str = ""
    """Name of the instance to wait on."""


class Hostage(Solver[HostageOptions]):
    """Deals subchannels in turn, but on one instance tells its process and waits until somebody lets it go on."""

    name: ClassVar[str] = "hostage"
    summary: ClassVar[str] = "waits"
    kind: ClassVar[SolverKind] = SolverKind.HEURISTIC
    options_type = HostageOptions

    def solve(self, instance: Instance, options: HostageOptions, monitor: SolveMonitor) -> StopReason:
        """Wait, then offer."""
        place = Path(options.place)
        with (place / "calls").open("a") as calls:
            calls.write(f"{instance.name}\n")
        if instance.name == options.on and not (place / "released").exists():
            publish(place / "pid", str(os.getpid()))
            wait_for(place / "released")
        owner = np.arange(instance.n_subchannels) % instance.n_clients
        share = min(instance.max_power_w.min(), instance.server.total_uplink_power_w / instance.n_clients)
        monitor.offer(Schedule(0, owner, share / np.bincount(owner)[owner]))
        return StopReason.COMPLETED


class Dying(Hostage):
    """Takes its process down."""

    name: ClassVar[str] = "dying"

    def solve(self, instance: Instance, options: HostageOptions, monitor: SolveMonitor) -> StopReason:
        """Be gone."""
        os._exit(7)
