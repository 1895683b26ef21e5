"""What a launcher tells a rank is checked before anything waits for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.backends.distributed import __main__ as program
from epsl_opt.backends.distributed.environment import Rendezvous, read_environment, refuse_dead_ends
from epsl_opt.cli.exits import ExitCode

GOOD = {"RANK": "1", "WORLD_SIZE": "3", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}

WRONG = [
    ("MASTER_PORT", "123456"), ("MASTER_PORT", "http"), ("MASTER_PORT", "-1"), ("MASTER_PORT", "0"),
    ("MASTER_PORT", "tcp://10.96.12.7:29500"), ("MASTER_PORT", "29500/tcp"), ("MASTER_PORT", "1e4"),
    ("MASTER_PORT", "9" * 5000), ("MASTER_PORT", "\uff12\uff19"), ("MASTER_PORT", "29_500"), ("RANK", "node0"),
    ("RANK", "-1"), ("RANK", "3"), ("RANK", "5"), ("RANK", "1.0"), ("WORLD_SIZE", "0"), ("WORLD_SIZE", "-3"),
    ("WORLD_SIZE", "1" + "0" * 12), ("WORLD_SIZE", "three"), ("WORLD_SIZE", "\x1b[31m"),
    ("MASTER_ADDR", "no-such-host.invalid"),
    ("MASTER_ADDR", "tcp://127.0.0.1"), ("MASTER_ADDR", "a" * 70 + ".invalid"), ("MASTER_ADDR", "."),
    ("GLOO_SOCKET_IFNAME", "eth99"),
]  # fmt: skip


@pytest.fixture
def listener() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        yield taken.getsockname()[1]


def test_a_launchers_environment_is_read() -> None:
    """Ranks, size and meeting point are those of the variables, torchrun's store and attempt with them."""
    assert read_environment(GOOD) == Rendezvous(1, 3, "127.0.0.1", 29500, False, "0")
    run = {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "2"}
    assert read_environment(GOOD | run | {"RANK": " 0\n"}) == Rendezvous(0, 3, "127.0.0.1", 29500, True, "2")


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_variables_are_one_line_at_once(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A variable that can't be true is one line that names it and its value, and code 2, without a wait."""
    for key, good in (GOOD | {name: value}).items():
        monkeypatch.setenv(key, good)
    begun_s = time.monotonic()
    assert program.main(["paper", "--timeout-s", "60"]) == ExitCode.BAD_INPUT
    assert time.monotonic() - begun_s < 30
    told = capfd.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith(f"epsl-opt: error: {name}: ")
    assert len(told.err) < 400
    assert value[:20] in told.err or not value.isprintable()
    assert told.err.strip().isprintable()


@given(st.fixed_dictionaries({name: st.text(max_size=8) | st.just(good) for name, good in GOOD.items()}))
def test_any_environment_is_read_or_refused(environment: dict[str, str]) -> None:
    """Whatever is in the variables, it is read as numbers in their ranges, or one clear error."""
    if not all(environment.values()):
        return
    try:
        found = read_environment(environment)
    except InputError:
        return
    assert 0 <= found.rank < found.size
    assert 1 <= found.port < 2**16


def test_a_port_in_use_is_told_by_the_rank_that_opens_it(listener: int) -> None:
    """Rank 0 says that its port is taken; the others, and ranks of a launcher with a store of its own, go there."""
    with pytest.raises(InputError, match=rf"MASTER_PORT: .*in use.*'{listener}'"):
        refuse_dead_ends(Rendezvous(0, 3, "127.0.0.1", listener, False, "0"), None)
    refuse_dead_ends(Rendezvous(1, 3, "127.0.0.1", listener, False, "0"), None)
    refuse_dead_ends(Rendezvous(0, 3, "127.0.0.1", listener, True, "0"), None)


def test_trying_a_port_keeps_nobody_out() -> None:
    """After the trial the port can be opened at once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refuse_dead_ends(Rendezvous(0, 3, "127.0.0.1", port, False, "0"), None)
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_broadcast_interface_that_is_not_there_is_told() -> None:
    """The option is checked like the variable, and named with what there is."""
    with pytest.raises(InputError, match=r"--broadcast-interface: is no network interface .* lo.*'eth99'"):
        refuse_dead_ends(read_environment(GOOD), "eth99")
    refuse_dead_ends(read_environment(GOOD), "lo")


def test_a_process_of_its_own_says_nothing_else() -> None:
    """Started as a launcher would, a rank with a wrong port writes that one line and no warning of a library's."""
    command = [sys.executable, "-m", "epsl_opt.backends.distributed", "paper"]
    found = subprocess.run(
        command,
        check=False,
        env=os.environ | GOOD | {"MASTER_PORT": "123456"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == "epsl-opt: error: MASTER_PORT: must be a whole number from 1 to 65535, got '123456'\n"
