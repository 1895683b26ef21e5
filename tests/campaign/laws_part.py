"""The suite's own random tests, on other draws than the suite's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from draws import VARIABLE

from campaign.faults import Fault, FaultKind
from campaign.part import Part, Trial

ROOT = Path(__file__).parents[2]
SIGNS = ("@given(", "pytest.mark.drawn")
TOLD_LINES = 3


class Laws(Part):
    """Random tests."""

    name = "laws"
    title = "the random tests of one file, on other draws"
    share = 0.01
    limit_s = 1200.0

    def attempt(self, trial: Trial) -> Sequence[Fault]:
        """Run the random tests of one file in a process of their own."""
        file = str(trial.rng.choice(files_of_laws()))
        seed = int(trial.rng.integers(2**31))
        return law_faults(file, seed)


@cache
def files_of_laws() -> tuple[str, ...]:
    """Return the test files that have random tests."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return tuple(
        path.relative_to(ROOT).as_posix()
        for path in files
        if "campaign" not in path.parts and any(sign in path.read_text(encoding="utf-8") for sign in SIGNS)
    )


def law_faults(file: str, seed: int) -> list[Fault]:
    """Run the random tests of a file with draws of their own; return those that fail."""
    options = [
        "-q",
        "-c",
        "pyproject.toml",
        "-p",
        "no:cacheprovider",
        "-m",
        "hypothesis or drawn",
        "--hypothesis-profile=campaign",
    ]
    command = [sys.executable, "-m", "pytest", *options, f"--hypothesis-seed={seed}", file]
    environment = os.environ | {VARIABLE: str(seed)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    Path("output").write_text(done.stdout + done.stderr, encoding="utf-8")
    told = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    where = f"{VARIABLE}={seed} pytest {' '.join(command[3:])}"
    return [Fault(FaultKind.BROKEN_LAW, where, line) for line in told[:TOLD_LINES] or [f"exit {done.returncode}"]]
