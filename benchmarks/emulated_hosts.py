"""Train on several emulated hosts whose links have the schedule's rates; show measured beside simulated times.

    sudo python -m benchmarks.emulated_hosts                                 # three clients, seconds
    sudo python -m benchmarks.emulated_hosts paper:clients=5 -- --rounds 20  # what follows -- is for the training

Every host is a network namespace with two interfaces, one for broadcasts and one for everything else, on two bridges in
a namespace of their own: nothing touches the network of this machine. `tc` (tbf) limits a client's sending to its
uplink rate, what it is sent to its downlink rate, and on the other bridge to the broadcast rate. Needs Linux, root and
iproute2 (`ip`, `tc`). Namespaces and processes are gone afterwards, whatever happens.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from epsl_opt.files.documents import Rates
from epsl_opt.files.json_files import read_schedule

INSTANCE = "paper:clients=3,subchannels=12,batch_size=32"
TRAINING = ["--cut-layers", "conv1", "--rounds", "6", "--evaluate-every", "6", "--checkpoint-every", "100"]
"""Smashed data of some Mbit, so that rates count and latencies of the network don't."""
DATA, BROADCAST = "data", "bcast"
NETWORKS = {DATA: "10.99.0", BROADCAST: "10.99.1"}
PORT = 29400
BURST_BYTES = 2000
"""What passes a limit at once: little beside a tensor, more than a packet."""

QUEUE_BYTES = 50_000_000
"""Nothing is dropped: the model's radio has no losses."""


class Hosts:
    """Network namespaces on two bridges.

    Parameters
    ----------
    size
        How many hosts there are.
    """

    def __init__(self, size: int) -> None:
        self.prefix = f"epsl{os.getpid()}"
        self.hub, self.names = f"{self.prefix}-hub", [f"{self.prefix}-{rank}" for rank in range(size)]

    def __enter__(self) -> Hosts:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in (*self.names, self.hub):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def limit(self, rank: int, network: str, *, outwards: bool, rate_bps: float) -> None:
        """Limit what a host sends, or what it is sent."""
        where, interface = (self.names[rank], network) if outwards else (self.hub, f"{network}{rank}")
        limits = ["rate", f"{round(rate_bps)}bit", "burst", str(BURST_BYTES), "limit", str(QUEUE_BYTES)]
        ip("netns", "exec", where, "tc", "qdisc", "add", "dev", interface, "root", "tbf", *limits)

    def _build(self) -> None:
        ip("netns", "add", self.hub)
        for network in NETWORKS:
            ip("-n", self.hub, "link", "add", network, "type", "bridge")
            ip("-n", self.hub, "link", "set", network, "up")
        for rank, name in enumerate(self.names):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            for network, subnet in NETWORKS.items():
                port = f"{network}{rank}"
                ip("-n", self.hub, "link", "add", port, "type", "veth", "peer", "name", network, "netns", name)
                ip("-n", self.hub, "link", "set", port, "master", network, "up")
                ip("-n", name, "address", "add", f"{subnet}.{rank + 1}/24", "dev", network)
                ip("-n", name, "link", "set", network, "up")


def ip(*arguments: str) -> None:
    """Run `ip`."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


def prepare(instance: str, solver: str, training: Sequence[str], folder: Path) -> Rates:
    """Make instance and schedule by training a round in one process; return the schedule's rates."""
    short = ["--solver", solver, "--rounds", "1", "--output", str(folder), "--quiet", "--format", "csv"]
    command = [sys.executable, "-c", "from epsl_opt.cli import main; main()", "train", instance, *training, *short]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    rates = read_schedule(folder / "schedule.json").rates
    if rates is None:
        raise RuntimeError("there is no schedule")
    return rates


def set_limits(hosts: Hosts, rates: Rates) -> None:
    """Give every client the rates of the schedule; the server's host has none of its own."""
    for rank, (up, down) in enumerate(zip(rates.uplink_bps, rates.downlink_bps, strict=True), start=1):
        hosts.limit(rank, DATA, outwards=True, rate_bps=up)
        hosts.limit(rank, DATA, outwards=False, rate_bps=down)
        hosts.limit(rank, BROADCAST, outwards=False, rate_bps=rates.broadcast_bps)


def train(hosts: Hosts, arguments: Sequence[str], *, torchrun: bool) -> int:
    """Start a rank on every host and return the server's exit code."""
    size, server = len(hosts.names), f"{NETWORKS[DATA]}.1"
    module = ["-m", "epsl_opt.backends.distributed", *arguments, "--broadcast-interface", BROADCAST]
    with contextlib.ExitStack() as ended:
        processes = []
        for rank, name in enumerate(hosts.names):
            environment = os.environ | {"GLOO_SOCKET_IFNAME": DATA, "OMP_NUM_THREADS": "1"}
            if torchrun:
                node = ["--nnodes", str(size), "--node-rank", str(rank), "--nproc-per-node", "1"]
                address = ["--master-addr", server, "--master-port", str(PORT)]
                program = ["-m", "torch.distributed.run", *node, *address, *module]
            else:
                where = {"MASTER_ADDR": server, "MASTER_PORT": str(PORT)}
                environment |= where | {"RANK": str(rank), "WORLD_SIZE": str(size)}
                program = module
            command = ["ip", "netns", "exec", name, sys.executable, *program]
            processes.append(ended.enter_context(running(command, environment)))
        return processes[0].wait()


@contextlib.contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, in a session of its own, which ends with the block."""
    with subprocess.Popen(command, env=environment, start_new_session=True) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def missing() -> list[str]:
    """Return what is needed and not there."""
    tools = [tool for tool in ("ip", "tc") if shutil.which(tool) is None]
    absent = [f"{' and '.join(tools)} (package iproute2)"] if tools else []
    if sys.platform != "linux":
        return ["Linux", *absent]
    return absent if os.geteuid() == 0 else ["root rights (sudo)", *absent]


def stop(*_: object) -> NoReturn:
    """End as on an error, so that everything is cleaned up."""
    raise SystemExit(143)


def main() -> int:
    """Emulate the hosts, train, clean up."""
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    own, training = sys.argv[1:split], [*TRAINING, *sys.argv[split + 1 :]]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("instance", nargs="?", default=INSTANCE)
    parser.add_argument("--solver", default="bcd", help="who makes the schedule")
    parser.add_argument("--torchrun", action="store_true", help="start ranks by torchrun, as on several machines")
    options = parser.parse_args(own)
    if absent := missing():
        print(f"emulated_hosts: needs {', '.join(absent)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory() as folder:
        rates = prepare(options.instance, options.solver, training, Path(folder, "prepared"))
        files = [f"{folder}/prepared/instance.json", "--schedule", f"{folder}/prepared/schedule.json"]
        with Hosts(len(rates.uplink_bps) + 1) as hosts:
            set_limits(hosts, rates)
            return train(hosts, [*files, *training], torchrun=options.torchrun)


if __name__ == "__main__":
    sys.exit(main())
