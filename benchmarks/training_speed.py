"""Time a round of PSL and EPSL against the limit and the usual idiom, and the server's part alone; measure memory.

    python -m benchmarks.training_speed            # writes the tables of docs/benchmarks.md
    python -m benchmarks.training_speed --quick    # small settings, into out/training-speed

Contenders run in turns in one process, and the least of their times counts: other work on the machine only ever adds.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmarks.destination import destination
from benchmarks.training_contenders import Round, Setting, our_round, per_client_loop, plain_step, server_part
from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt.backends.pytorch.options import Aggregation
from epsl_opt.backends.pytorch.resnet import resnet18
from epsl_opt.backends.pytorch.small_networks import CnnOptions, cnn
from epsl_opt.solving.provenance import cpu

ROOT = Path(__file__).parents[1]

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
OUT = Path("out/training-speed")
CLASSES = 10
MANY_CLIENTS = 200

ROUND_HEAD = (
    "| network | input | clients | batch | plain step (ms) | PSL (ms) | EPSL 0.5 (ms) | EPSL 1 (ms) | loop (ms) |"
    " PSL / plain | loop / PSL |"
)
ROUND_RULE = "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
SERVER_HEAD = (
    "| network | input | clients | batch | PSL (ms) | EPSL 0.5 (ms) | EPSL 1 (ms) | representative 1 (ms) |"
    " PSL / EPSL 0.5 | PSL / EPSL 1 | PSL / representative 1 |"
)
SERVER_RULE = "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True)
class Case:
    """A network by name, the side of its square input, clients and batch size."""

    network: str
    side: int
    clients: int
    batch: int

    def cells(self) -> tuple[str, ...]:
        """Return what it is, for a table."""
        channels = 3 if self.network == "resnet18" else 1
        return self.network, f"{channels}x{self.side}x{self.side}", str(self.clients), str(self.batch)

    def setting(self) -> Setting:
        """Return the network cut after its first pool, and random batches."""
        torch.manual_seed(0)
        channels = 3 if self.network == "resnet18" else 1
        network = resnet18(3, CLASSES) if channels == 3 else cnn((1, self.side, self.side), CLASSES, CnnOptions())
        parts = tuple(layers(network))
        cut = 1 + next(i for i, part in enumerate(parts) if isinstance(part, nn.MaxPool2d | nn.AvgPool2d))
        samples = torch.randn(self.clients, self.batch, channels, self.side, self.side)
        return Setting(parts, cut, samples, torch.randint(CLASSES, (self.clients, self.batch)))


def layers(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the parts of nested Sequentials in order."""
    for part in network.children():
        if isinstance(part, nn.Sequential):
            yield from layers(part)
        else:
            yield part


QUICK = (Case("cnn", 8, 5, 16),)
ROUNDS = (
    *(Case("cnn", 28, clients, batch) for clients in (5, 20) for batch in (16, 64)),
    *(Case("resnet18", 32, clients, batch) for clients in (5, 20) for batch in (4, 16, 64)),
    Case("resnet18", 64, 5, 64),
)
SERVERS = (
    Case("cnn", 28, 5, 64),
    Case("resnet18", 32, 5, 64),
    Case("resnet18", 64, 5, 64),
    Case("resnet18", 32, 20, 16),
)


def best_ms(contenders: Mapping[str, Round], repeats: int) -> dict[str, float]:
    """Return the least time of each, in milliseconds, after one run to warm up."""
    best = dict.fromkeys(contenders, float("inf"))
    for repeat in range(repeats + 1):
        for name, run in contenders.items():
            start_s = time.perf_counter()
            run()
            if repeat:
                best[name] = min(best[name], 1e3 * (time.perf_counter() - start_s))
    return best


def round_table(cases: tuple[Case, ...], repeats: int) -> str:
    """Time whole rounds."""

    def row(case: Case) -> tuple[str, ...]:
        setting = case.setting()
        ms = best_ms(
            {
                "plain": plain_step(setting),
                "psl": our_round(setting, 0.0),
                "half": our_round(setting, 0.5),
                "full": our_round(setting, 1.0),
                "loop": per_client_loop(setting),
            },
            repeats,
        )
        ratios = (f"{ms['psl'] / ms['plain']:.2f}", f"{ms['loop'] / ms['psl']:.1f}")
        return *case.cells(), *(f"{value:.1f}" for value in ms.values()), *ratios

    return markdown_table(ROUND_HEAD, ROUND_RULE, _told(row, cases))


def server_table(cases: tuple[Case, ...], repeats: int) -> str:
    """Time the server's part of a round."""

    def row(case: Case) -> tuple[str, ...]:
        setting = case.setting()
        ms = best_ms(
            {
                "psl": server_part(setting, 0.0),
                "half": server_part(setting, 0.5),
                "full": server_part(setting, 1.0),
                "representative": server_part(setting, 1.0, Aggregation.REPRESENTATIVE),
            },
            repeats,
        )
        ratios = (f"{ms['psl'] / ms[name]:.2f}" for name in ("half", "full", "representative"))
        return *case.cells(), *(f"{value:.1f}" for value in ms.values()), *ratios

    return markdown_table(SERVER_HEAD, SERVER_RULE, _told(row, cases))


def _told(row: Callable[[Case], tuple[str, ...]], cases: tuple[Case, ...]) -> list[tuple[str, ...]]:
    rows = []
    for case in cases:
        rows.append(row(case))
        print(" | ".join(rows[-1]), file=sys.stderr)
    return rows


def memory_line(clients: int) -> str:
    """Measure rounds with many clients in a process of their own; return a sentence."""
    command = [sys.executable, "-m", "benchmarks.training_speed", "--memory", str(clients)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    mib = float(done.stdout)
    return (
        f"{clients} clients of `cnn` on 1x28x28 with 64 samples each: the process peaks at {mib:.0f} MiB over two "
        "rounds of PSL and two of EPSL 0.5, Python and PyTorch included."
    )


def measure_memory(clients: int) -> float:
    """Train with many clients here; return the process's peak memory in MiB."""
    setting = Case("cnn", 28, clients, 64).setting()
    for phi in (0.0, 0.5):
        run = our_round(setting, phi)
        run()
        run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small run that leaves the documentation alone")
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="timed runs of each contender")
    parser.add_argument("--memory", type=int, metavar="CLIENTS", help="measure memory here, print MiB")
    args = parser.parse_args()
    if args.memory:
        print(measure_memory(args.memory))
        return 0
    threads = torch.get_num_threads()
    made_with = f"{os.cpu_count()} processors ({cpu()}), {threads} threads; torch {torch.__version__}."
    page = destination(PAGE, OUT if args.quick else None)
    parts = {
        "training-conditions": lambda: f"`python -m benchmarks.training_speed --repeats {args.repeats}`; {made_with}",
        "training-rounds": lambda: round_table(QUICK if args.quick else ROUNDS, args.repeats),
        "training-server": lambda: server_table(QUICK if args.quick else SERVERS, args.repeats),
        "training-memory": lambda: memory_line(5 if args.quick else MANY_CLIENTS),
    }
    write_marked(page, parts)
    print(f"wrote {page}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
