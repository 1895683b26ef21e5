"""SIGKILL at random moments and at file replacements; what goes on from there ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from campaign.faults import Fault, FaultKind
from campaign.killing import Ended, Kill, run_process
from campaign.likeness import differences
from campaign.made_files import run_good
from campaign.part import Part, Trial
from campaign.tree import Snapshot, broken, snapshot

AT_REPLACEMENT_SHARE = 0.6


@dataclass(frozen=True)
class Case:
    """A command that writes files, to be killed and run again.

    Parameters
    ----------
    name
        Of the case.
    arguments
        The command.
    resume
        What to add to go on where a kill left it; if that is refused, the command is run as at first.
    """

    name: str
    arguments: tuple[str, ...]
    resume: tuple[str, ...] = ()


_TOY = ("--backend", "toy", "-t", "plane")

CASES = (
    Case("solve", ("solve", "instance.json", "-s", "bcd", "-o", "out.json")),
    Case("generate", ("generate", "paper:clients=3,subchannels=6", "-o", "out.json")),
    Case("compare", ("compare", "instance.json", "other.json", "--solvers", "greedy,bcd", "-o", "out")),
    Case("study", ("study", "squares", "--quick", "--jobs", "2", "-o", "out")),
    Case(
        "toy training",
        ("train", "instance.json", *_TOY, "-s", "greedy", "-n", "9", "--checkpoint-every", "2", "-o", "out"),
        ("--resume",),
    ),
    Case(
        "training",
        ("train", "instance.json", "-s", "greedy", "-n", "6", "-b", "8", "--checkpoint-every", "2", "-o", "out"),
        ("--resume",),
    ),
    Case(
        "compare --train",
        (
            *("compare", "instance.json", "--train", *_TOY, "--solvers", "greedy", "--frameworks", "epsl,psl"),
            *("-n", "5", "--checkpoint-every", "2", "-o", "out"),
        ),
    ),
)


@dataclass(frozen=True)
class Undisturbed:
    """What a case does when nothing happens: seconds, file replacements, files, places that vary from run to run."""

    elapsed_s: float
    replacements: int
    files: Snapshot
    varying: frozenset[str]


class Kills(Part):
    """Kills."""

    name = "kills"
    title = "SIGKILL at random moments and file replacements, then resumed"
    share = 0.006
    limit_s = 900.0

    def prepare(self, workshop: Path) -> None:
        """Make the instances."""
        run_good([("generate", "paper:clients=3,subchannels=6", "-o", "instance.json")])
        run_good([("generate", "paper:clients=2,subchannels=5", "-o", "other.json")])

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Kill one case some times, then let it come to its end."""
        case = CASES[int(trial.rng.integers(len(CASES)))]
        good = _undisturbed(case, trial.workshop)
        _copy_instances(trial.workshop, trial.folder)
        told: list[str] = []
        faults: list[Fault] = []
        for _ in range(int(trial.rng.choice([1, 1, 2, 3]))):
            kill = _kill(trial.rng, good)
            ended = _go_on(case, kill)
            told.append(f"{ended.line}: killed {kill}, code {ended.code}")
            faults += _after_kill(trial.folder, told[-1])
        ended = _go_on(case, None)
        told.append(f"{ended.line}: code {ended.code}")
        Path("COMMANDS").write_text("\n".join(told) + "\n")
        where = " && ".join(told)
        return [*faults, *_after_end(case, ended, where), *_unlike(good, _written(trial.folder), where)]


@cache
def _undisturbed(case: Case, workshop: Path) -> Undisturbed:
    """Run a case twice; what is other the second time varies anyway."""
    found: list[Snapshot] = []
    elapsed_s: list[float] = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
            _copy_instances(workshop, Path(name))
            log = Path(name, "replacements")
            ended = run_process(case.arguments, log=log)
            if ended.code != 0:
                raise RuntimeError(f"{ended.line}: code {ended.code}: {ended.stderr}")
            found.append(_written(Path(name)))
            elapsed_s.append(ended.elapsed_s)
            replacements = len(log.read_text().splitlines())
    return Undisturbed(min(elapsed_s), replacements, found[0], differences(found[0], found[1]))


def _written(folder: Path) -> Snapshot:
    """Return what a case writes, and hidden files."""
    return {name: content for name, content in snapshot(folder).items() if name.startswith(("out", "."))}


def _copy_instances(source: Path, target: Path) -> None:
    for name in ("instance.json", "other.json"):
        shutil.copy(source / name, target)


def _kill(rng: np.random.Generator, good: Undisturbed) -> Kill:
    if rng.uniform() < AT_REPLACEMENT_SHARE:
        return Kill(at=int(rng.integers(1, good.replacements + 1)), when=str(rng.choice(["before", "after"])))
    return Kill(after_s=float(rng.uniform(0.1, 1.1) * good.elapsed_s))


def _go_on(case: Case, kill: Kill | None) -> Ended:
    """Run the command, or go on with what a kill left of it."""
    if case.resume and Path("out").exists():
        ended = run_process([*case.arguments, *case.resume], kill)
        if ended.code != 2:
            return ended
    return run_process(case.arguments, kill)


def _after_kill(folder: Path, where: str) -> Iterator[Fault]:
    """What a kill leaves is whole, apart from hidden temporary files."""
    visible = {name: content for name, content in snapshot(folder).items() if not Path(name).name.startswith(".")}
    yield from broken({}, visible, where)


def _after_end(case: Case, ended: Ended, where: str) -> Iterator[Fault]:
    last = " / ".join(ended.stderr.strip().splitlines()[-2:])
    if ended.code < 0:
        yield Fault(FaultKind.HANGS if ended.elapsed_s > 100 else FaultKind.DIED, where, last)
    elif ended.code == 1:
        yield Fault(FaultKind.EXIT_1, where, last)
    elif ended.code != 0:
        yield Fault(FaultKind.STUCK, where, f"{case.name}: {last}")
    if ended.remaining:
        yield Fault(FaultKind.LEFTOVER, where, f"processes {ended.remaining}")


def _unlike(good: Undisturbed, found: Snapshot, where: str) -> Iterator[Fault]:
    """Compare with the undisturbed run: the same files and the same results."""
    for place in sorted(differences(good.files, found) - good.varying):
        kind = FaultKind.LEFTOVER if place in found and place not in good.files else FaultKind.DIFFERENT
        yield Fault(kind, where, place)
