"""Finished runs as lines of JSON in one file, which is replaced whole after each run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.exact_runs import Outcome, Run, parse
from epsl_opt import InputError
from epsl_opt.files.writing import write_bytes


class KeptLines:
    """Outcomes by run; errors are shown but not kept.

    Raises
    ------
    InputError
        If a line of the file is not an outcome, with its number.
    """

    def __init__(self, path: Path, again: Sequence[str] = ()) -> None:
        self._path = path
        self._known: dict[Run, Outcome] = {}
        for outcome in _read(path):
            self._known[outcome.run] = outcome
        self._valid = {run for run in self._known if run.solver not in again}

    def __contains__(self, run: Run) -> bool:
        return run in self._valid

    def __getitem__(self, run: Run) -> Outcome:
        return self._known[run]

    def keep(self, outcome: Outcome) -> None:
        """Put an outcome in the place of an older one of the same run, and write the file."""
        self._known[outcome.run] = outcome
        self._valid.add(outcome.run)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        kept = [known for known in self._known.values() if known.stop_reason != "error"]
        write_bytes(self._path, "".join(json.dumps(asdict(known)) + "\n" for known in kept).encode())


def _read(path: Path) -> list[Outcome]:
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(parse(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(str(path), f"line {number} is not a run: {error}") from error
    return found
