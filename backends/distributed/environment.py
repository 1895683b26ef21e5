"""What a launcher such as torchrun tells a rank by its environment, and whether that can be true."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from epsl_opt.backends.distributed.wire import SERVER
from epsl_opt.core.errors import InputError

NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
INTERFACE = "GLOO_SOCKET_IFNAME"

MAX_SIZE, MAX_PORT = 2**16, 2**16 - 1
_MAX_SHOWN = 60


@dataclass(frozen=True)
class Rendezvous:
    """Who this rank is, and where the ranks meet.

    Parameters
    ----------
    rank, size
        This process, and how many there are.
    host, port
        Of rank 0's store.
    agent
        Whether the launcher keeps the store.
    attempt
        The launcher's, from 0.
    """

    rank: int
    size: int
    host: str
    port: int
    agent: bool
    attempt: str

    @property
    def opens_the_store(self) -> bool:
        """Whether the others come to this rank."""
        return self.rank == SERVER and not self.agent


def missing_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return what a launcher would have set and nobody has."""
    return [name for name in NEEDED if not environment.get(name)]


def read_environment(environment: Mapping[str, str] = os.environ) -> Rendezvous:
    """Return what the environment says.

    Raises
    ------
    InputError
        Naming the variable and its value, if it is none that a launcher would set.
    """
    size = _number(environment, "WORLD_SIZE", 1, MAX_SIZE)
    rank = _number(environment, "RANK", 0, MAX_SIZE)
    if rank >= size:
        raise _wrong("RANK", environment["RANK"], f"must be below WORLD_SIZE, which is {size}")
    return Rendezvous(
        rank,
        size,
        environment["MASTER_ADDR"].strip(),
        _number(environment, "MASTER_PORT", 1, MAX_PORT),
        environment.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
        environment.get("TORCHELASTIC_RESTART_COUNT", "0"),
    )


def refuse_dead_ends(meeting: Rendezvous, broadcast_interface: str | None) -> None:
    """Raise where the ranks can't meet as told, which would otherwise take as long as they wait for each other.

    Raises
    ------
    InputError
        Naming the variable or option and its value.
    """
    _refuse_interface(INTERFACE, os.environ.get(INTERFACE))
    _refuse_interface("--broadcast-interface", broadcast_interface)
    try:
        socket.getaddrinfo(meeting.host, meeting.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise _wrong("MASTER_ADDR", meeting.host, f"is the address of no machine ({why})") from error
    if meeting.opens_the_store:
        _refuse_port(meeting.port)


def _number(environment: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = environment[name].strip()
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise _wrong(name, environment[name], f"must be a whole number from {least} to {most}")
    return int(text)


def _refuse_interface(source: str, names: str | None) -> None:
    """Refuse network interfaces that this machine does not have; there may be several between commas."""
    there = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    if names and there and (strange := [name for name in names.split(",") if name not in there]):
        raise _wrong(source, strange[0], f"is no network interface of this machine, which has {', '.join(there)}")


def _refuse_port(port: int) -> None:
    """Try the port without listening, so that nobody who waits for it takes the trial for the store."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    with socket.socket(family) as trial:
        if os.name == "posix":
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            trial.bind(("", port))
        except OSError as error:
            problem = f"is no port that rank {SERVER} can open ({error.strerror or error})"
            raise _wrong("MASTER_PORT", str(port), problem) from error


def _wrong(source: str, value: str, problem: str) -> InputError:
    shown = value if len(value) <= _MAX_SHOWN else value[: _MAX_SHOWN - 1] + "…"
    return InputError(source, f"{problem}, got {shown!r}")
