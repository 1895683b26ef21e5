"""The tests of Ctrl-C mean something wherever they are run from."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ASK = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"

PROBE = f"""
import signal
import subprocess
import sys


def test_ctrl_c_is_heard_here_and_in_what_is_started():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert subprocess.run([sys.executable, "-c", {ASK!r}], capture_output=True, text=True).stdout == "True\\n"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are not inherited")
def test_ctrl_c_is_heard_by_tests_whose_parent_ignores_it(tmp_path: Path) -> None:
    """Started as by `nohup` in the background, the tests and the commands they start hear SIGINT all the same."""
    (tmp_path / "conftest.py").write_text((Path(__file__).parents[1] / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "test_probe.py").write_text(PROBE)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=.", "."],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.returncode == 0, found.stdout + found.stderr
