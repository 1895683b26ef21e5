"""Files that many tests of the command line begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_toys import write_instance

from epsl_opt.cli.app import run
from epsl_opt.cli.exits import ExitCode


@pytest.fixture
def instance_file(tmp_path: Path) -> str:
    """A small instance on disk."""
    return write_instance(tmp_path)


@pytest.fixture
def schedule_file(instance_file: str, tmp_path: Path) -> str:
    """A verified schedule of it, by a toy solver that must be registered."""
    path = tmp_path / "schedule.json"
    assert run(["solve", instance_file, "-s", "steady", "-q", "-o", str(path)]) == ExitCode.OK
    return str(path)
