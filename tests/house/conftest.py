"""Environments to run the package in: one build of sdist and wheel for all tests of a session."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from epsl_opt.files.file_lock import lock

ROOT = Path(__file__).parents[2]
NOT_SOURCE = shutil.ignore_patterns(
    ".*", "build", "dist", "out", "*.egg-info", "__pycache__", "node_modules", "*.pyc", "tests", "docs"
)
OURS = ("epsl", "__editable__", "__pycache__")

Environment = Callable[[str], Path]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout's source to build from, links and all."""
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("copy") / "source", symlinks=True, ignore=NOT_SOURCE))


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Build sdist and wheel, or take what another process of this session has built; return the folder they are in."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dist"
    with held(folder.with_suffix(".lock")):
        if not (folder / "built").exists():
            built(request.getfixturevalue("source"), folder)
            (folder / "built").touch()
    return folder


@contextlib.contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold a lock while the block runs, once nobody else does."""
    with file.open("w") as stream:
        while True:
            try:
                lock(stream.fileno())
            except OSError:
                time.sleep(0.1)
            else:
                break
        yield


def built(source: Path, folder: Path) -> None:
    """Build the sdist from the source, and the wheel from the sdist."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that is installed here but this package."""
    folder = tmp_path_factory.mktemp("dependencies")
    for place in dict.fromkeys(
        Path(place) for place in sys.path if Path(place).name in ("site-packages", "dist-packages")
    ):
        for path in place.iterdir():
            link = folder / path.name
            if not path.name.startswith(OURS) and path.suffix != ".pth" and not link.is_symlink():
                link.symlink_to(path)
    return folder


@pytest.fixture(scope="session")
def environment(dependencies: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Make a fresh environment with nothing but the dependencies, install something, return the folder of commands."""

    def make(*install: str) -> Path:
        home = tmp_path_factory.mktemp("fresh")
        venv.create(home, with_pip=False, symlinks=True)
        layout = sysconfig.get_paths("venv", vars={"base": str(home), "platbase": str(home)})
        Path(layout["purelib"], "dependencies.pth").write_text(f"{dependencies}\n", encoding="utf-8")
        scripts = Path(layout["scripts"])
        if install:
            pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
            subprocess.run([*pip, "--no-build-isolation", *install], check=True, capture_output=True)
        return scripts

    return make


@pytest.fixture(scope="session")
def bin_folder(dist: Path, environment: Environment) -> Path:
    """The commands of an environment with the wheel."""
    return environment(str(next(dist.glob("*.whl"))))
