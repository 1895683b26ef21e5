"""However the package is installed and wherever Python is started, one whole package of one version runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
OTHER_VERSION = "99.0"
ASK = """
import json, sys
import epsl_opt, epsl_opt.backends.distributed, epsl_opt.problems.library
from epsl_opt.core.distribution import version
from epsl_opt.plugins import registry
home = epsl_opt.__path__[0]
found = {group: registry.names(group) for group in ("epsl_opt.solvers", "epsl_opt.scenarios", "epsl_opt.studies")}
registry.load_solver("greedy"), registry.load_scenario("paper")
modules = [m for name, m in sys.modules.items() if name.startswith("epsl_opt.") and getattr(m, "__file__", None)]
strays = [m.__file__ for m in modules if not m.__file__.startswith(home)]
print(json.dumps({"home": home, "version": version(), "strays": strays, "found": found}))
"""


@dataclass(frozen=True)
class Place:
    """An environment, and the folder that Python is started in."""

    scripts: Path
    folder: Path

    def run(self, *command: str) -> str:
        """Run one of the environment's commands; return what it prints."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        full = [str(self.scripts / command[0]), *command[1:]]
        done = subprocess.run(full, cwd=self.folder, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def expect_to_solve(self) -> None:
        """`python -m epsl_opt` finds a verified schedule."""
        solved = self.run("python", "-m", "epsl_opt", "solve", "paper", "-s", "greedy", "-q", "-f", "json")
        assert json.loads(solved)["status"] == "verified"

    def expect_to_train_in_many_processes(self) -> None:
        """What `torchrun -m` starts is there, and explains itself."""
        assert "torchrun" in self.run("python", "-m", "epsl_opt.backends.distributed", "--help")


@cache
def ask(place: Place) -> dict[str, Any]:
    """Return where the package comes from, its version, and what it finds registered."""
    answer: dict[str, Any] = json.loads(place.run("python", "-c", ASK))
    return answer


@pytest.fixture(scope="module")
def other(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another checkout: of another version, and with a solver that this one does not have."""
    folder = Path(shutil.copytree(source, tmp_path_factory.mktemp("other") / "checkout", symlinks=True))
    settings = (folder / "pyproject.toml").read_text(encoding="utf-8")
    old = '[project.entry-points."epsl_opt.solvers"]\n'
    assert old in settings
    settings = settings.replace(old, f'{old}only-there = "epsl_opt.solvers.paper.greedy:Greedy"\n')
    settings = settings.replace(f'\nversion = "{own_version()}"', f'\nversion = "{OTHER_VERSION}"')
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    return folder


def own_version() -> str:
    """The version in this checkout's `pyproject.toml`."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return text.partition('\nversion = "')[2].partition('"')[0]


@pytest.fixture(scope="module")
def bare(environment: Callable[..., Path]) -> Path:
    """The commands of an environment without this package."""
    return environment()


@pytest.fixture(scope="module")
def beside(environment: Callable[..., Path], other: Path) -> Path:
    """The commands of an environment with the other checkout, editable."""
    return environment("--editable", str(other))


@pytest.fixture(scope="module")
def without_links(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout where links can't be made: git leaves a file that holds the link's text."""
    folder = Path(shutil.copytree(source, tmp_path_factory.mktemp("plain") / "checkout", symlinks=True))
    for link in (path for path in (folder / "epsl_opt").iterdir() if path.is_symlink()):
        text = str(link.readlink())
        link.unlink()
        link.write_text(text, encoding="utf-8")
    return folder


def expect_this_checkout(answer: dict[str, Any], package: Path = ROOT / "epsl_opt") -> None:
    """All modules come from one checkout, under its version and with its plug-ins."""
    assert Path(answer["home"]) == package
    assert answer["strays"] == []
    assert answer["version"] == own_version()
    assert "only-there" not in answer["found"]["epsl_opt.solvers"]
    assert {"greedy", "exact"} <= set(answer["found"]["epsl_opt.solvers"])


def test_wheel_and_python_started_in_the_checkout(bin_folder: Path) -> None:
    """The checkout, found first, runs whole; the installed command runs the wheel, whole."""
    place = Place(bin_folder, ROOT)
    expect_this_checkout(ask(place))
    place.expect_to_train_in_many_processes()
    assert place.run("epsl-opt", "--version") == f"epsl-opt {own_version()}\n"


def test_wheel_and_python_started_elsewhere(bin_folder: Path, tmp_path: Path) -> None:
    """The wheel runs whole, under its version, with the plug-ins that a checkout reads from `pyproject.toml`."""
    answer = ask(Place(bin_folder, tmp_path))
    assert Path(answer["home"]).is_relative_to(bin_folder.parent)
    assert (answer["strays"], answer["version"]) == ([], own_version())
    assert answer["found"] == ask(Place(bin_folder, ROOT))["found"]


def test_another_checkout_installed_and_python_started_in_this_one(beside: Path) -> None:
    """This checkout runs whole, under its own version and with its own plug-ins, not the other's."""
    expect_this_checkout(ask(Place(beside, ROOT)))


def test_another_checkout_installed_and_its_command_started_in_this_one(beside: Path) -> None:
    """The installed command runs the checkout it belongs to, with that one's version and plug-ins."""
    place = Place(beside, ROOT)
    assert place.run("epsl-opt", "--version") == f"epsl-opt {OTHER_VERSION}\n"
    assert "only-there" in place.run("epsl-opt", "solvers", "-f", "json")


def test_an_editable_checkout_from_elsewhere(beside: Path, other: Path, tmp_path: Path) -> None:
    """Started anywhere else, the editable checkout runs whole."""
    answer = ask(Place(beside, tmp_path))
    assert (Path(answer["home"]), answer["strays"]) == (other / "epsl_opt", [])
    assert answer["version"] == OTHER_VERSION
    assert "only-there" in answer["found"]["epsl_opt.solvers"]


def test_nothing_installed_but_the_dependencies(bare: Path) -> None:
    """The checkout runs whole; its plug-ins and its version come from `pyproject.toml`."""
    place = Place(bare, ROOT)
    expect_this_checkout(ask(place))
    place.expect_to_solve()
    place.expect_to_train_in_many_processes()


def test_a_checkout_without_links(bare: Path, without_links: Path) -> None:
    """Where git could not make links, the package finds its parts beside itself."""
    place = Place(bare, without_links)
    place.expect_to_solve()
    place.expect_to_train_in_many_processes()


@pytest.mark.skipif(sys.platform == "win32", reason="links are made or not")
@pytest.mark.skipif(not (ROOT / "solvers").is_dir(), reason="an unpacked sdist has folders instead")
def test_the_links_are_links() -> None:
    """The three parts beside the package are links in it, relative, so that a copy of the checkout is whole."""
    found = {path.name: str(path.readlink()) for path in (ROOT / "epsl_opt").iterdir() if path.is_symlink()}
    assert found == {name: f"../{name}" for name in ("solvers", "problems", "backends")}
