"""The wheel holds everything, works outside the checkout, and leaves nothing generic in site-packages."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"solvers": "solvers", "problems": "problems", "backends": "backends"}


@pytest.fixture(scope="module")
def wheel_files(dist: Path) -> list[str]:
    """The names of the files in the wheel."""
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        return wheel.namelist()


def run(bin_folder: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run an installed command outside the checkout."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    full = [str(bin_folder / command[0]), *command[1:]]
    return subprocess.run(full, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_only_the_package_lands_in_site_packages(wheel_files: list[str]) -> None:
    """At the top level there are `epsl_opt` and its metadata: no `solvers`, no `problems`, no `tests`."""
    top = {name.partition("/")[0] for name in wheel_files}
    assert {name for name in top if not name.endswith(".dist-info")} == {"epsl_opt"}


@pytest.mark.parametrize("folder", ["epsl_opt", *FOLDERS])
def test_every_source_and_data_file_is_in_the_wheel(wheel_files: list[str], folder: str) -> None:
    """Every module, data file and marker of the source tree is in the wheel, under the package."""
    inside = "epsl_opt" if folder == "epsl_opt" else f"epsl_opt/{folder}"
    source = [
        path
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    ]
    missing = {f"{inside}/{path.relative_to(ROOT / folder).as_posix()}" for path in source} - set(wheel_files)
    assert missing == set()


def test_the_sdist_explains_itself(dist: Path) -> None:
    """The sdist, from which the wheel was built, holds the license and what explains the project."""
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml", "Makefile"} <= names


def test_the_package_works_outside_the_checkout(bin_folder: Path, tmp_path: Path) -> None:
    """Installed from the wheel, the package is imported from there, with its schemas and its py.typed."""
    program = (
        "import epsl_opt, pathlib; from epsl_opt.files.schema import KINDS, json_schema, schema_path; "
        "home = pathlib.Path(epsl_opt.__file__).parent; "
        "print(home, (home / 'py.typed').is_file(), all(schema_path(kind).is_file() for kind in KINDS))"
    )
    done = run(bin_folder, tmp_path, "python", "-W", "error", "-c", program)
    assert done.returncode == 0, done.stderr
    home, *found = done.stdout.split()
    assert Path(home).is_relative_to(bin_folder.parent)
    assert found == ["True", "True"]


def test_the_command_line_works_outside_the_checkout(bin_folder: Path, tmp_path: Path) -> None:
    """`epsl-opt` prints its help, and solves the paper's scenario to a verified schedule in JSON."""
    helped = run(bin_folder, tmp_path, "epsl-opt", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "solve" in helped.stdout
    solved = run(bin_folder, tmp_path, "epsl-opt", "solve", "paper", "--solver", "greedy", "--format", "json")
    assert solved.returncode == 0, solved.stderr
    document = json.loads(solved.stdout)
    assert (document["format"], document["status"]) == ("epsl-opt/schedule", "verified")
