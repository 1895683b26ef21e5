"""Jobs of several ranks for tests: started process by process, as a launcher would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

TASK = "synthetic:samples=200,size=4,classes=3"
TRAIN = ["paper:clients=2,subchannels=4,batch_size=6", "--task", TASK, "--solver", "greedy", "--evaluate-every", "2"]

SEVERAL = """
import json, os, sys
from epsl_opt.backends.distributed.backend import DistributedBackend
from epsl_opt.backends.distributed.client import serve
from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.cli.train_ranks import server_command
from epsl_opt.backends.distributed.group import join
from epsl_opt.cli.app import run
group = join(60.0, None)
code = 0
if group.rank == 0:
    clients = Clients(group)
    for arguments in json.loads(sys.argv[1]):
        code = run(arguments, server_command(DistributedBackend(clients))) or code
    clients.end()
else:
    code = serve(group)
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
"""
"""Runs several command lines on the same ranks, since starting processes takes longer than training does."""


class Job:
    """Processes of one job.

    Parameters
    ----------
    size
        How many ranks there are.
    program
        What Python runs.
    absent
        Ranks that are not started.
    """

    def __init__(self, size: int, program: Sequence[str], absent: Sequence[int] = ()) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        common = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
        self.processes = {
            rank: subprocess.Popen(
                [sys.executable, *program],
                env=os.environ | common | {"RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(size)
            if rank not in absent
        }

    def finish(self) -> list[tuple[int, str, str]]:
        """Wait for all; return each one's exit code, standard output and standard error."""
        found = []
        for process in self.processes.values():
            out, err = process.communicate(timeout=120)
            found.append((process.returncode, out, err))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            with process:
                pass

    def await_(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so, as long as the job runs."""
        while not condition():
            assert self.processes[0].poll() is None, self.processes[0].communicate()
            time.sleep(0.02)


def module_job(size: int, arguments: Sequence[str], absent: Sequence[int] = ()) -> Job:
    """Start `-m epsl_opt.backends.distributed`."""
    return Job(size, ["-m", "epsl_opt.backends.distributed", *arguments], absent)


def run_several(size: int, lines: Sequence[Sequence[str]]) -> list[tuple[int, str, str]]:
    """Train several times on the same ranks."""
    with Job(size, ["-c", SEVERAL, json.dumps(lines)]) as job:
        return job.finish()


def rows_done(folder: Path) -> int:
    """Return how many rounds the records of a training have."""
    path = folder / "records.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0
