"""Commands in processes of their own, ended by SIGKILL at a moment or at a file replacement."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

INJECTION = Path(__file__).parent / "injection"

LIMIT_S = 120.0


@dataclass(frozen=True)
class Kill:
    """When a process group is ended: after some seconds, or at its n-th replacement of a file."""

    after_s: float | None = None
    at: int | None = None
    when: str = "before"

    def __str__(self) -> str:
        return f"after {self.after_s:.3f} s" if self.after_s is not None else f"{self.when} replacement {self.at}"


@dataclass(frozen=True)
class Ended:
    """How a process ended; a negative code is a signal."""

    arguments: tuple[str, ...]
    code: int
    stderr: str
    elapsed_s: float
    remaining: tuple[int, ...]

    @property
    def line(self) -> str:
        """The command line, to be given to a shell."""
        return shlex.join(["epsl-opt", *self.arguments])


def run_process(arguments: Sequence[str], kill: Kill | None = None, log: Path | None = None) -> Ended:
    """Run a command line in a session of its own, and end it as `kill` says.

    Parameters
    ----------
    arguments
        After the program's name.
    kill
        When to end it.
    log
        A file that gets a line for every file replacement.
    """
    command = [sys.executable, "-c", "from epsl_opt.cli import main; main()", *arguments]
    started_s = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | _environment(kill, log),
        start_new_session=True,
    )
    after_s = LIMIT_S if kill is None or kill.after_s is None else kill.after_s
    try:
        _, stderr = process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, stderr = process.communicate()
    elapsed_s = time.monotonic() - started_s
    text = stderr.decode(errors="replace")
    return Ended(tuple(arguments), process.returncode, text, elapsed_s, _remaining(process.pid))


def _environment(kill: Kill | None, log: Path | None) -> dict[str, str]:
    found = {"PYTHONPATH": os.pathsep.join([str(INJECTION), os.environ["PYTHONPATH"]])}
    if kill is not None and kill.at is not None:
        found |= {"CAMPAIGN_KILL_AT": str(kill.at), "CAMPAIGN_KILL_WHEN": kill.when}
    return found | ({} if log is None else {"CAMPAIGN_KILL_LOG": str(log)})


def _remaining(session: int) -> tuple[int, ...]:
    """Return the processes of a session that live after its first one ended, and end them."""
    for _ in range(20):
        found = tuple(pid for pid in _processes() if _session(pid) == session)
        if not found:
            return ()
        time.sleep(0.1)
    for pid in found:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    return found


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _session(pid: int) -> int | None:
    with contextlib.suppress(OSError, IndexError, ValueError):
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(status[3]) if status[0] != "Z" else None
    return None
