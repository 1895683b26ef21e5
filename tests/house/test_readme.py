"""What the README shows works when it is typed in."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from epsl_opt.cli.app import run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON_BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ epsl-opt (.*)$", README, re.MULTILINE)
MAKE_TARGETS = re.findall(r"^make (\w+)", README, re.MULTILINE)
LINKS = re.findall(r"\]\((?!https?://)([^)#]+)", README)


@pytest.mark.parametrize("block", PYTHON_BLOCKS)
def test_python_blocks_run(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each Python block runs as it stands and prints something."""
    exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_commands_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All `epsl-opt` lines, typed one after another in an empty folder, succeed."""
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        assert run(shlex.split(command)) == 0, f"{command}: {capsys.readouterr().err}"


def test_something_is_shown() -> None:
    """The README has Python, commands, make targets and links for these tests to try."""
    assert all([PYTHON_BLOCKS, COMMANDS, MAKE_TARGETS, LINKS])


@pytest.mark.parametrize("target", MAKE_TARGETS)
def test_make_targets_exist(target: str) -> None:
    """Each make target that the README names is in the Makefile, with a description."""
    assert re.search(rf"^{target}:.*## \w", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    """Each relative link of the README is a file or folder of the project."""
    assert (ROOT / link).exists()
