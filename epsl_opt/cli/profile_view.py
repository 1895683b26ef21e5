"""A model profile and a measurement as tables and rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from epsl_opt.cli.cut_view import cut_table
from epsl_opt.cli.output import facts, table
from epsl_opt.cli.units import NOTHING, number

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.core.instance import Client, ModelProfile
    from epsl_opt.plugins.backend import LayerTime, Measurement

LAYER_COLUMNS = ("name", "forward_s", "backward_s", "forward_flops", "backward_flops")


def layer_rows(measurement: Measurement) -> list[dict[str, str | float]]:
    """Return a row per layer."""
    return [asdict(layer) for layer in measurement.layers]


def profile_tables(profile: ModelProfile) -> list[Table]:
    """Return the whole network, and its cut layers."""
    whole = [
        ("network", profile.name),
        ("forward", f"{number(profile.total_forward_flops / 1e6)} MFLOP a sample"),
        ("backward", f"{number(profile.total_backward_flops / 1e6)} MFLOP a sample"),
        ("of it the last layer", f"{number(profile.last_layer_backward_flops / 1e6)} MFLOP"),
        ("parameters", f"{number(profile.total_parameter_bits / 1e3)} kbit"),
    ]
    return [facts("", whole), cut_table(profile)]


def measurement_tables(measurement: Measurement, client: Client) -> list[Table]:
    """Return the layers' times, and the machine as a client."""
    columns = ("layer", "forward ms", "backward ms", "forward GFLOP/s", "backward GFLOP/s")
    rows = [_layer_cells(layer) for layer in measurement.layers]
    peak = measurement.peak_memory_bytes
    machine = [
        ("peak memory", f"{peak / 2**20:.0f} MiB" if peak else NOTHING),
        ("client", client.name),
        ("clock", f"{number(client.cycles_per_s / 1e9)} Gcycle/s"),
        ("cycles per FLOP", number(client.cycles_per_flop)),
        ("computes", f"{number(client.cycles_per_s / client.cycles_per_flop / 1e9, 4)} GFLOP/s"),
    ]
    title = f"Measured for a batch of {measurement.batch_size}"
    return [table(title, columns, rows), facts("", machine)]


def _layer_cells(layer: LayerTime) -> tuple[str, ...]:
    speeds = (_gflops(layer.forward_flops, layer.forward_s), _gflops(layer.backward_flops, layer.backward_s))
    return layer.name, number(layer.forward_s * 1e3, 4), number(layer.backward_s * 1e3, 4), *speeds


def _gflops(flops: float, seconds: float) -> str:
    return number(flops / seconds / 1e9, 4) if flops > 0 and seconds > 0 else NOTHING
