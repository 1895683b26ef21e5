"""Valid files of every kind that the tool reads, made by the tool itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from campaign.command import run_command

CONFIG = """\
time-limit = 1.5
gap = 0.01
quiet = false

[solve]
solver = "greedy"
threads = 1
cut-layers = ["layer1.0", "avgpool"]

[show]
format = "table"

[compare]
solvers = ["greedy", "bcd"]
seeds = "0..1"

[compare.option]
"bcd.max_sweeps" = 3

[train]
task = "digits"
rounds = 2

[train.option]
lr = 0.05
"""

SMALL = "paper:clients=3,subchannels=6"

COMMANDS = (
    ("generate", SMALL, "-o", "instance.json"),
    ("generate", "paper:clients=2,subchannels=4,reciprocal=false,fading=rayleigh", "-o", "other.json"),
    ("solve", "instance.json", "-s", "exact", "-o", "schedule.json"),
    ("solve", "instance.json", "-s", "greedy", "-o", "greedy.json"),
    ("profile", "mlp", "--input", "1,8,8", "-o", "profile.json"),
)
"""In order; what one makes, others read."""

TRAIN = ("train", "instance.json", "--evaluate-every", "3", "-b", "8")
TRAIN_TOY = ("train", "instance.json", "--backend", "toy", "-t", "plane", "--evaluate-every", "2")

FOLDER_COMMANDS = (
    ("compare", "instance.json", "--solvers", "greedy,bcd", "-o", "comparison"),
    ("study", "squares", "--quick", "--jobs", "1", "-o", "studies"),
    ("report", "studies"),
    (*TRAIN_TOY, "-s", "greedy", "-n", "4", "-o", "toy-training"),
    (*TRAIN_TOY, "-s", "greedy", "-n", "6", "-o", "toy-training-whole"),
    (*TRAIN, "-s", "greedy", "-n", "3", "-o", "training"),
    (*TRAIN, "-s", "greedy", "-n", "4", "-o", "training-whole"),
    (
        *("compare", "instance.json", "--train", "--backend", "toy", "-t", "plane", "--solvers", "greedy"),
        *("--frameworks", "epsl,psl", "-n", "3", "-o", "trained"),
    ),
)
"""What makes folders from the files."""

CLIENTS = """\
[
  {"name": "pi", "cycles_per_s": 1500000000.0, "cycles_per_flop": 0.25, "max_power_w": 0.5, "samples": 100},
  {"name": "phone", "cycles_per_s": 2000000000.0, "cycles_per_flop": 0.125, "max_power_w": 1.0, "samples": 300}
]
"""


def run_good(commands: Iterable[Sequence[str]]) -> None:
    """Run command lines in the working directory.

    Raises
    ------
    RuntimeError
        If one fails.
    """
    for arguments in commands:
        outcome = run_command(arguments, interrupt_after_s=300)
        if outcome.code != 0:
            raise RuntimeError(f"{outcome.line}: code {outcome.code} {outcome.escaped}: {outcome.stderr}")


def make_files(workshop: Path) -> None:
    """Make every file in the workshop, which is the working directory."""
    run_good(COMMANDS)
    (workshop / "config.toml").write_text(CONFIG)
    (workshop / "clients.json").write_text(CLIENTS)
    gains = "\n".join(",".join(f"{-90 - 3 * i - k}" for k in range(6)) for i in range(3))
    (workshop / "gains.csv").write_text(gains + "\n")
