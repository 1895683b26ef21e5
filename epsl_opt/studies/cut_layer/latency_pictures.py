"""Pictures of latency over the cut layers, and of where the quickest one is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from epsl_opt.plugins.study import Cell, Picture, Row
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.cut_layer.latency import BANDWIDTH, CHANNELS, SERVER, Draw, along, draws_of
from epsl_opt.studies.shared.figures import NUMBERED, draw_rows, grid, picture
from epsl_opt.studies.shared.rows import columns, distinct, number, select
from epsl_opt.studies.shared.seeds import ratio

KNOBS = {BANDWIDTH: (1e6, "MHz a subchannel"), SERVER: (1e9, "Gcycles/s server")}
"""Knob -> unit, and what it is called."""


def latency_pictures(rows: Sequence[Row], n_draws: int) -> list[Picture]:
    """Draw latency over the cut layers, and where the quickest one is."""
    draws = draws_of(rows)
    return [_relative_picture(draws, n_draws), _map_picture(draws, n_draws)] if draws else []


def _relative_rows(draws: Sequence[Draw]) -> Iterator[dict[str, Cell]]:
    """Yield latencies over that of the best cut layer on the same draw, one knob varied at a time."""
    for channel in dict.fromkeys(draw.channel for draw in draws):
        for knob in KNOBS:
            for value, chosen in along(draws, channel, knob).items():
                best = {draw.seed: draw.latency_s[draw.quickest] for draw in chosen}
                for cut in draws[0].latency_s:
                    found = ratio({draw.seed: draw.latency_s[cut] for draw in chosen}, best)
                    where: dict[str, Cell] = {"channel": channel, "knob": knob, "value": value, "cut_layer": cut}
                    yield {**where, **columns(found, "ratio", ""), "draws": found.n}


def _relative_picture(draws: Sequence[Draw], n_draws: int) -> Picture:
    rows = list(_relative_rows(draws))
    channels = distinct(rows, "channel")
    with styled():
        figure, lines = grid(len(channels), 2, 9.0, 0.8 + 3.0 * len(channels), share_x=True, share_y="all")
        for panels, channel in zip(lines, channels, strict=True):
            for axes, knob in zip(panels, KNOBS, strict=True):
                _draw_knob(axes, select(rows, channel=channel, knob=knob), *KNOBS[knob])
            panels[0].set(title=CHANNELS[channel], ylabel="latency / that of the best cut")
        for axes in lines[-1]:
            axes.set_xlabel("cut layer, the last that clients hold")
        lines[0][0].set_ylim(0.9, 1.2 * max(number(row, "ratio") for row in rows))
    caption = (
        "Round latency of ResNet-18 by cut layer, over that of the best cut layer on the same draw, with certified "
        f"schedules: geometric means over {n_draws} draws and 95 % confidence intervals. The other parameter is the "
        "paper's."
    )
    lowest: dict[str, Cell] = {}
    for row in sorted(rows, key=lambda row: number(row, "ratio")):
        where = f"{CHANNELS[str(row['channel'])]}, {row['knob']} {row['value']:g}"
        lowest.setdefault(where, row["cut_layer"])
    said = "; ".join(f"{where}: {cut}" for where, cut in lowest.items())
    return picture("latency-by-cut", caption, f"Lines over cut layers; lowest at: {said}", figure, rows)


def _draw_knob(axes: Axes, rows: Sequence[Row], unit: float, label: str) -> None:
    """Draw a line per setting of a knob."""
    for look, value in zip(NUMBERED, sorted({number(row, "value") for row in rows}), strict=False):
        line = select(rows, value=value)
        draw_rows(axes, line, None, "ratio", look, f"{value / unit:g} {label}", ends="")
    cuts = distinct(rows, "cut_layer")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xticks(range(len(cuts)), cuts, rotation=45, ha="right")
    axes.grid()
    axes.legend(handlelength=4)


def _map_rows(draws: Sequence[Draw]) -> Iterator[dict[str, Cell]]:
    groups: dict[tuple[str, float, float], list[Draw]] = {}
    for draw in draws:
        groups.setdefault((draw.channel, draw.at[BANDWIDTH], draw.at[SERVER]), []).append(draw)
    for (channel, bandwidth_hz, server), here in groups.items():
        (name, count), *_ = Counter(draw.quickest for draw in here).most_common()
        yield {
            "channel": channel,
            BANDWIDTH: bandwidth_hz,
            SERVER: server,
            "mean_position": float(np.mean([draw.position for draw in here])),
            "most_often": name,
            "share": count / len(here),
            "draws": len(here),
        }


def _map_picture(draws: Sequence[Draw], n_draws: int) -> Picture:
    cuts, rows = list(draws[0].latency_s), list(_map_rows(draws))
    channels = distinct(rows, "channel")
    with styled():
        figure, (panels,) = grid(1, len(channels), 1.2 + 4.2 * len(channels), 3.8, share_y="all")
        for axes, channel in zip(panels, channels, strict=True):
            image = _draw_map(axes, select(rows, channel=channel), len(cuts))
            axes.set_title(f"quickest cut layer: {CHANNELS[channel]}")
        panels[0].set_ylabel("server, Gcycles/s")
        figure.colorbar(image, ax=panels[-1]).set_ticks(list(range(len(cuts))), labels=cuts)
    caption = (
        f"The cut layer of ResNet-18 that is most often the quickest, and in what part of {n_draws} draws; the shade "
        "is its mean position in the network."
    )
    said = "; ".join(
        f"{CHANNELS[str(row['channel'])]}, {number(row, BANDWIDTH) / 1e6:g} MHz, "
        f"{number(row, SERVER) / 1e9:g} Gcycles/s: {row['most_often']}"
        for row in rows
    )
    return picture("quickest-cut", caption, f"Maps: {said}", figure, rows)


def _draw_map(axes: Axes, rows: Sequence[Row], n_cuts: int) -> AxesImage:
    bandwidths, servers = (sorted({number(row, knob) for row in rows}) for knob in (BANDWIDTH, SERVER))
    shades = np.full((len(servers), len(bandwidths)), np.nan)
    for row in rows:
        x, y = bandwidths.index(number(row, BANDWIDTH)), servers.index(number(row, SERVER))
        shades[y, x] = row["mean_position"]
        colour = "white" if shades[y, x] < (n_cuts - 1) / 2 else "black"
        axes.text(x, y, f"{row['most_often']}\n{row['share']:.0%}", ha="center", va="center", color=colour, fontsize=7)
    axes.set_xticks(range(len(bandwidths)), [f"{value / 1e6:g}" for value in bandwidths])
    axes.set_yticks(range(len(servers)), [f"{value / 1e9:g}" for value in servers])
    axes.set_xlabel("bandwidth of a subchannel, MHz")
    return axes.imshow(shades, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=n_cuts - 1)
