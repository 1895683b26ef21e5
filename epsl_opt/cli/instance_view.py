"""An instance as tables: clients, gains, cut layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from epsl_opt.cli.cut_view import cut_rows, cut_table
from epsl_opt.cli.output import facts, table
from epsl_opt.cli.units import NOTHING, dbm, decibels, number

if TYPE_CHECKING:
    from rich.table import Table

    from epsl_opt.core.arrays import FloatArray
    from epsl_opt.core.instance import Instance

MAX_CLIENT_ROWS = 20


def instance_summary(instance: Instance) -> dict[str, object]:
    """Return what describes an instance in a few numbers, ready for JSON; gains are ranges in dB."""
    bandwidth, channel = instance.bandwidth_hz, instance.channel
    return {
        "name": instance.name,
        "sha256": instance.sha256,
        "clients": instance.n_clients,
        "subchannels": instance.n_subchannels,
        "total_bandwidth_hz": float(bandwidth.sum()),
        "uplink_gain_db": _range_db(channel.uplink_gain),
        "downlink_gain_db": _range_db(channel.downlink_gain),
        "noise_psd_w_per_hz": channel.noise_psd_w_per_hz,
        "total_uplink_power_w": instance.server.total_uplink_power_w,
        "downlink_psd_w_per_hz": instance.server.downlink_psd_w_per_hz,
        "server_flops_per_s": instance.server_flops_per_s,
        "model": instance.model.name,
        "batch_size": instance.training.batch_size,
        "aggregation_ratio": instance.training.aggregation_ratio,
        "aggregated_samples": instance.aggregated_samples,
        "min_cut_layer": instance.training.min_cut_layer,
        "cut_layers": cut_rows(instance.model),
    }


def instance_tables(instance: Instance) -> list[Table]:
    """Return the summary, the clients (the first ones, if there are many) and the cut layers."""
    return [facts("", _facts(instance)), _client_table(instance), cut_table(instance.model)]


def _facts(instance: Instance) -> list[tuple[str, str]]:
    server, training, bandwidth = instance.server, instance.training, instance.bandwidth_hz
    return [
        ("instance", f"{instance.name} (sha256 {instance.sha256[:12]}…)"),
        ("clients", str(instance.n_clients)),
        ("subchannels", f"{instance.n_subchannels}, together {bandwidth.sum() / 1e6:.6g} MHz"),
        ("uplink gain", _range_text(instance.channel.uplink_gain)),
        ("downlink gain", _range_text(instance.channel.downlink_gain)),
        ("total uplink power", f"{number(server.total_uplink_power_w)} W ({dbm(server.total_uplink_power_w)} dBm)"),
        ("server", f"{instance.server_flops_per_s / 1e9:.6g} GFLOP/s"),
        *([] if training.framework is None else [("framework", str(training.framework))]),
        *([] if training.average_every is None else [("models averaged", f"every {training.average_every} rounds")]),
        ("batch", f"{training.batch_size} samples, {instance.aggregated_samples} of them aggregated"),
        *_limits(instance),
    ]


def _limits(instance: Instance) -> list[tuple[str, str]]:
    """Return the limits on the cut layer, if there are any."""
    first = instance.training.min_cut_layer
    memory = [client.memory_bits for client in instance.clients if client.memory_bits is not None]
    found = [] if first is None else [("first cut layer", f"{first}; none before it is allowed")]
    return found + ([("client memory", f"from {number(min(memory) / 8e6, 4)} MB")] if memory else [])


def _client_table(instance: Instance) -> Table:
    shown = instance.clients[:MAX_CLIENT_ROWS]
    title = "Clients" if len(shown) == instance.n_clients else f"Clients (first {len(shown)})"
    columns = ("client", "GFLOP/s", "power W", "power dBm", "samples", "distance m", "sight", "mean uplink gain dB")
    rows = (
        (
            client.name,
            number(float(instance.client_flops_per_s[i]) / 1e9, 4),
            number(client.max_power_w, 4),
            dbm(client.max_power_w),
            str(client.samples),
            number(client.distance_m, 4),
            NOTHING if client.line_of_sight is None else "yes" if client.line_of_sight else "no",
            f"{decibels(float(instance.channel.uplink_gain[i].mean())):.1f}",
        )
        for i, client in enumerate(shown)
    )
    return table(title, columns, rows)


def _range_db(gain: FloatArray) -> list[float] | None:
    """Return the smallest and largest positive gain in dB; None if all are zero."""
    positive = gain[gain > 0]
    return [decibels(float(positive.min())), decibels(float(positive.max()))] if positive.size else None


def _range_text(gain: FloatArray) -> str:
    ends, zeros = _range_db(gain), int(np.count_nonzero(gain == 0))
    text = "all zero" if ends is None else f"{ends[0]:.1f} to {ends[1]:.1f} dB"
    return f"{text}, {zeros} zero" if zeros and ends else text
