"""A small Dask cluster of processes on this machine, whose workers find what the tests send them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine_toys import wait_for

HERE = Path(__file__).parent


class Cluster:
    """A scheduler, and workers as they are asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack, self._n_workers = folder, stack, 0
        self._workers: list[subprocess.Popen[bytes]] = []
        here = ("--host", "127.0.0.1", "--port", "0")
        self.scheduler = self._run("scheduler", *here, "--scheduler-file", str(self._file))
        while not wait_for(self._file):  # there, but not written yet
            time.sleep(0.02)

    @property
    def _file(self) -> Path:
        return self._folder / "scheduler.json"

    @property
    def address(self) -> str:
        """Of the scheduler."""
        import json

        address: str = json.loads(self._file.read_text())["address"]
        return address

    def add_worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker; it is there a little later."""
        self._n_workers += 1
        place = self._folder / f"worker-{self._n_workers}"
        worker = self._run(
            "worker",
            "--scheduler-file",
            str(self._file),
            "--local-directory",
            str(place),
            "--nthreads",
            "1",
            *(options or ("--no-nanny",)),
            **environment,
        )
        self._workers.append(worker)
        return worker

    def dismiss_workers(self) -> None:
        """End all workers; the scheduler notices at once."""
        for worker in self._workers:
            worker.terminate()
        while self._workers:
            _stop(self._workers.pop())

    def _run(self, role: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{role}", "--no-dashboard", *options]
        paths = {"PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
        log = self._stack.enter_context((self._folder / f"{role}-{self._n_workers}.log").open("wb"))
        process = subprocess.Popen(command, env=os.environ | paths | environment, stdout=log, stderr=log)
        self._stack.callback(_stop, process)
        return process


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster without workers while the block runs."""
    with ExitStack() as stack:
        yield Cluster(folder, stack)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
