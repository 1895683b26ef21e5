"""Toy solvers that behave well or badly, a small instance, and one call to run a command line; shared by tests."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsl_opt import Instance, Options, Schedule, SolveMonitor, Solver, SolverKind, StopReason
from epsl_opt import write_record as write
from epsl_opt.core.instance import Channel, Client, CutLayer, ModelProfile, Server, Subchannels, Training
from epsl_opt.plugins import registry


def small_instance(name: str = "small", clients: int = 3, subchannels: int = 5) -> Instance:
    """Return an instance with two cut layers whose numbers are all different."""
    gain = 1e-11 * (1 + np.arange(clients * subchannels, dtype=float).reshape(clients, subchannels))
    return Instance(
        name=name,
        clients=tuple(
            Client(name=f"phone-{i}", cycles_per_s=1e9 + 1e8 * i, cycles_per_flop=0.05, max_power_w=1.0, samples=10 + i)
            for i in range(clients)
        ),
        server=Server(cycles_per_s=5e9, cycles_per_flop=0.03, downlink_psd_w_per_hz=1e-8, total_uplink_power_w=2.0),
        subchannels=Subchannels(bandwidth_hz=np.full(subchannels, 1e7), center_frequency_hz=np.full(subchannels, 28e9)),
        channel=Channel(uplink_gain=gain, downlink_gain=gain, noise_psd_w_per_hz=4e-21),
        model=ModelProfile(
            name="toy",
            total_forward_flops=3e8,
            total_backward_flops=6e8,
            last_layer_backward_flops=1e5,
            total_parameter_bits=1e8,
            cut_layers=(_cut("early", 1e7, 4e6), _cut("late", 1e8, 1e6)),
        ),
        training=Training(batch_size=8, aggregation_ratio=0.5),
    )


def _cut(name: str, flops: float, bits: float) -> CutLayer:
    return CutLayer(
        name=name,
        client_forward_flops=flops,
        client_backward_flops=2 * flops,
        activation_bits=bits,
        gradient_bits=bits,
        client_parameter_bits=1e6,
    )


def write_instance(folder: Path, name: str = "small", **shape: int) -> str:
    """Write `small_instance` into a folder and return the file's name."""
    path = folder / f"{name}.json"
    write(path, small_instance(name, **shape))
    return str(path)


def round_robin(instance: Instance, power_factor: float = 1.0) -> Schedule:
    """Return subchannels dealt in turn with equal powers; feasible up to `power_factor` 1."""
    C, M = instance.n_clients, instance.n_subchannels
    owner = np.arange(M) % C
    count = np.bincount(owner, minlength=C)
    power = np.minimum(instance.max_power_w / count, instance.server.total_uplink_power_w / M)
    return Schedule(0, owner, power[owner] * power_factor)


class ToyOptions(Options):
    """Options of the toys."""

    scale: float = 1.0
    """Fraction of the powers to use."""


class Steady(Solver[ToyOptions]):
    """Deals the subchannels in turn."""

    name = "steady"
    summary = "deals the subchannels in turn"
    kind = SolverKind.HEURISTIC
    options_type = ToyOptions
    calls = 0

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Offer one schedule."""
        type(self).calls += 1
        monitor.offer(round_robin(instance, options.scale))
        return StopReason.COMPLETED


class Weak(Steady):
    """The same with little power, hence slower, but with a bound."""

    name = "weak"
    kind = SolverKind.RELAXATION

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Offer one schedule and a bound that is surely valid."""
        monitor.offer(round_robin(instance, 0.01))
        monitor.prove(1e-3)
        return StopReason.COMPLETED


class Noisy(Steady):
    """Writes to stdout in every way there is."""

    name = "noisy"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Chat, then offer."""
        print("python chatter")
        os.write(1, b"descriptor chatter\n")
        ctypes.CDLL(None).puts(b"C library chatter")
        return super().solve(instance, options, monitor)


class Cheat(Steady):
    """Takes more power than there is."""

    name = "cheat"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Offer a schedule that breaks the power limits."""
        monitor.offer(round_robin(instance, 3.0))
        return StopReason.COMPLETED


class Liar(Weak):
    """Claims a bound that only another solver's schedule refutes."""

    name = "liar"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Offer a slow schedule and call it nearly optimal."""
        latency_s = monitor.offer(round_robin(instance, 0.01))
        monitor.prove(latency_s * 0.999)
        return StopReason.COMPLETED


class Broken(Steady):
    """Fails."""

    name = "broken"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Raise."""
        raise RuntimeError("the toy broke")


class Empty(Steady):
    """Runs out of time without a schedule."""

    name = "empty"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Find nothing."""
        return StopReason.TIME_LIMIT


class Picky(Steady):
    """Takes no instance."""

    name = "picky"

    def unsupported(self, instance: Instance, options: ToyOptions) -> str | None:
        """Refuse."""
        return "the toy does not like it"


class Interrupted(Steady):
    """Ctrl-C before anything was found."""

    name = "interrupted"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Be stopped."""
        raise KeyboardInterrupt


class InterruptedLate(Steady):
    """Ctrl-C after a schedule was found."""

    name = "interrupted-late"

    def solve(self, instance: Instance, options: ToyOptions, monitor: SolveMonitor) -> StopReason:
        """Offer, then be stopped."""
        monitor.offer(round_robin(instance))
        raise KeyboardInterrupt


TOYS = (Steady, Weak, Noisy, Cheat, Liar, Broken, Empty, Picky, Interrupted, InterruptedLate)


class FakeEntry:
    """An entry point that loads an object at hand."""

    def __init__(self, target: Any) -> None:
        self.target, self.value = target, repr(target)

    def load(self) -> Any:
        """Return it."""
        return self.target


def register_toys(monkeypatch: pytest.MonkeyPatch, *toys: type[Solver[Any]]) -> None:
    """Make these the only registered solvers, all toys if none are named."""
    genuine = registry._entries
    entries: dict[str, Any] = {toy.name: FakeEntry(toy) for toy in toys or TOYS}
    monkeypatch.setattr(registry, "_entries", lambda group: entries if group == registry.SOLVERS else genuine(group))
