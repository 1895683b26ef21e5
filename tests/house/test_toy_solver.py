"""The example of a third-party solver works as it is told to strangers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from epsl_opt.cli.app import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "toy_solver"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install the example from a copy of its source; return the environment in which it is found."""
    root = tmp_path_factory.mktemp("toy")
    source, target = root / "source", root / "target"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    run = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*run, "--target", str(target), str(source)], check=True, capture_output=True)
    return os.environ | {"PYTHONPATH": str(target)}


def test_it_passes_the_conformance_suite(installed: dict[str, str], tmp_path: Path) -> None:
    """Installed on its own and found through its entry point only, the toy solver passes every test of the suite."""
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path / "tests")]
    done = subprocess.run(command, cwd=tmp_path, env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


def test_the_command_line_finds_it(
    installed: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`epsl-opt solvers` lists it once it is installed, and not before."""
    listing = ["solvers", "--format", "json"]
    program = [sys.executable, "-c", "from epsl_opt.cli import main; main()", *listing]
    after = subprocess.run(program, cwd=tmp_path, env=installed, capture_output=True, text=True, check=True)
    assert '"random-valid"' in after.stdout
    assert run(listing) == 0
    assert '"random-valid"' not in capsys.readouterr().out
