"""Files that the tool made, made wrong, and every command that reads such a file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from campaign.command import Outcome, draw_surroundings, run_command
from campaign.faults import Fault, FaultKind
from campaign.judging import command_faults
from campaign.likeness import differences
from campaign.made_files import FOLDER_COMMANDS, make_files, run_good
from campaign.mutations import mutated
from campaign.part import Part, Trial
from campaign.readers import FILE_READERS, FOLDER_READERS, Reader
from campaign.tree import broken, leftovers, lost, snapshot


class MutatedFiles(Part):
    """Mutated files."""

    name = "files"
    title = "files made wrong, through every command that reads them"
    share = 0.55
    readers: tuple[Reader, ...] = FILE_READERS

    def prepare(self, workshop: Path) -> None:
        """Make the files."""
        make_files(workshop)

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Make one file wrong and let one command read it."""
        weights = np.array([reader.weight for reader in self.readers])
        reader = self.readers[int(trial.rng.choice(len(weights), p=weights / weights.sum()))]
        target = make_wrong(trial, reader)
        arguments = reader.commands[int(trial.rng.integers(len(reader.commands)))]
        before = snapshot(trial.folder)
        stdin = target.read_bytes() if "-" in arguments else b""
        outcome = run_command(arguments, around=draw_surroundings(trial.rng), stdin=stdin)
        Path("COMMAND").write_text(
            f"{target.relative_to(trial.folder)} was made wrong\n{outcome.line}\n{outcome.around}\n"
        )
        after = {name: content for name, content in snapshot(trial.folder).items() if name != "COMMAND"}
        faults = [*command_faults(outcome), *leftovers(before, after, outcome.line)]
        if outcome.code == 0:
            faults += [*broken(before, after, outcome.line), *_different(trial, outcome, target)]
        elif outcome.code == 2 and not outcome.around.full:  # what only could not print has done its work
            faults += lost(before, after, outcome.line)
        return faults


class MutatedFolders(MutatedFiles):
    """Mutated files in folders."""

    name = "folders"
    title = "folders with a file made wrong, gone on with"
    share = 0.03
    readers = FOLDER_READERS
    limit_s = 300.0

    def prepare(self, workshop: Path) -> None:
        """Make the folders, too."""
        make_files(workshop)
        run_good(FOLDER_COMMANDS)


def make_wrong(trial: Trial, reader: Reader) -> Path:
    """Copy what a reader needs from the workshop, make one file of it wrong and return its path."""
    for name in reader.needs:
        source = trial.workshop / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, trial.folder / name)
    targets = sorted(path for path in trial.folder.glob(reader.target) if path.is_file())
    target = targets[int(trial.rng.integers(len(targets)))]
    target.write_bytes(mutated(trial.rng, target.read_bytes(), target.suffix))
    return target


def _different(trial: Trial, outcome: Outcome, target: Path) -> Iterator[Fault]:
    """A folder that was good apart from one file comes to the results that it would have come to with it."""
    folder = target.relative_to(trial.folder).parts[0]
    if folder in ("comparison", "trained"):
        yield from _other_results(trial, outcome, folder)
    if folder in ("training", "toy-training"):
        yield from _other_records(trial, outcome, folder)


def _other_records(trial: Trial, outcome: Outcome, folder: str) -> Iterator[Fault]:
    """A training that went on has the records of one that was never stopped."""
    places = (trial.workshop / f"{folder}-whole", trial.folder / folder)
    good, found = ({"records.csv": (place / "records.csv").read_bytes()} for place in places)
    for place in sorted(differences(good, found)):
        yield Fault(FaultKind.DIFFERENT, outcome.line, place)


def _other_results(trial: Trial, outcome: Outcome, folder: str) -> Iterator[Fault]:
    name = next(path.name for path in (trial.workshop / folder).glob("*.json"))
    good, found = (_latencies(place / folder / name) for place in (trial.workshop, trial.folder))
    for key, latency_s in good.items():
        if key not in found or abs(found[key] - latency_s) > 1e-6 * latency_s:
            yield Fault(FaultKind.DIFFERENT, outcome.line, f"{key}: {found.get(key)} s, not {latency_s} s")


def _latencies(path: Path) -> dict[str, float]:
    """Return the latency of every row of a comparison by all that tells rows apart."""
    rows = json.loads(path.read_text())
    keys = ("instance", "solver", "framework", "method")
    column = next(name for name in ("latency_s", "round_latency_s") if name in rows[0])
    return {" ".join(str(row[key]) for key in keys if key in row): row[column] for row in rows}
