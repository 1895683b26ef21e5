"""The machine at hand as a client of an instance."""

from __future__ import annotations

import re
from pathlib import Path

from epsl_opt.core.instance import Client
from epsl_opt.plugins.backend import Measurement

MAX_CLOCK = Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")
"""In kHz; where Linux on ARM boards tells the clock."""

CPU_INFO = Path("/proc/cpuinfo")
DEFAULT_CLOCK_HZ = 1e9


def client_of(measurement: Measurement, client: Client) -> Client:
    """Return `client` at this machine's speed: its simulated time for the whole network is the measured one.

    Parameters
    ----------
    measurement
        Of a network on this machine, forward and backward.
    client
        Gives what can't be measured.

    Raises
    ------
    ValueError
        If the network took no time or has no FLOPs.
    """
    seconds, flops = total_s(measurement), total_flops(measurement)
    if seconds <= 0 or flops <= 0:
        raise ValueError(f"{flops:g} FLOPs in {seconds:g} s say nothing about a processor")
    clock_hz = processor_clock_hz()
    return client.model_copy(update={"cycles_per_s": clock_hz, "cycles_per_flop": clock_hz * seconds / flops})


def total_s(measurement: Measurement) -> float:
    """Return the seconds of a whole batch, forward and backward."""
    return sum(layer.forward_s + layer.backward_s for layer in measurement.layers)


def total_flops(measurement: Measurement) -> float:
    """Return the FLOPs of a whole batch, forward and backward."""
    return sum(layer.forward_flops + layer.backward_flops for layer in measurement.layers)


def processor_clock_hz() -> float:
    """Return the processor's highest clock; else the one it has now; 1 GHz where the system does not tell.

    Only the quotient of clock and cycles per FLOP decides how long a client computes.
    """
    if found := re.fullmatch(r"(\d+)\s*", _text(MAX_CLOCK)):
        return 1e3 * float(found[1]) or DEFAULT_CLOCK_HZ
    clocks_mhz = re.findall(r"^cpu MHz\s*:\s*([\d.]+)", _text(CPU_INFO), re.MULTILINE)
    return 1e6 * max(map(float, clocks_mhz), default=0.0) or DEFAULT_CLOCK_HZ


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
