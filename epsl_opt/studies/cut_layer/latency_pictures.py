"""Pictures of the quickest cut layer, and the table of what a limit on it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import paired_ratio
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.cut_layer.latency import BANDWIDTH, CHANNELS, SERVER, Condition, Draw, along, draws_of, prices
from epsl_opt.studies.shared.interval_lines import draw_line


def latency_tables(choices: Sequence[Row]) -> list[Table]:
    """Return what a first allowed cut layer costs."""
    found = prices(choices)
    caption = "The first cut layer that is allowed, the latency over that without a limit, and what is chosen."
    return [Table("min-cut", caption, tuple(found[0]), found)] if found else []


def latency_pictures(rows: Sequence[Row], base: Condition, n_draws: int) -> list[Picture]:
    """Draw latency over the cut layers, and where the quickest one is."""
    draws = draws_of(rows)
    return [_relative_picture(draws, base, n_draws), _map_picture(draws, n_draws)] if draws else []


def _channels(draws: Sequence[Draw]) -> list[str]:
    return list(dict.fromkeys(draw.channel for draw in draws))


def _relative_picture(draws: Sequence[Draw], base: Condition, n_draws: int) -> Picture:
    drawn: list[dict[str, Any]] = []
    channels = _channels(draws)
    with styled():
        figure = new_figure(9.0, 0.8 + 3.0 * len(channels))
        panels = figure.subplots(len(channels), 2, sharex=True, sharey=True, squeeze=False)
        knobs = ((BANDWIDTH, 1e6, "MHz a subchannel"), (SERVER, 1e9, "Gcycles/s server"))
        for line, channel in zip(panels, channels, strict=True):
            for axes, (knob, unit, label) in zip(line, knobs, strict=True):
                chosen = [draw for draw in draws if draw.channel == channel and along(draw.condition, base, knob)]
                drawn += [{"channel": channel, **row} for row in _draw_knob(axes, chosen, knob, unit, label)]
            line[0].set_ylabel("latency / that of the best cut")
            line[0].set_title(CHANNELS[channel])
        for axes in panels[-1]:
            axes.set_xlabel("cut layer, the last that clients hold")
        panels[0][0].set_ylim(0.9, 1.2 * max(row["ratio"] for row in drawn))
    caption = (
        "Round latency of ResNet-18 by cut layer, over that of the best cut layer on the same draw, with certified "
        f"schedules: geometric means over {n_draws} draws and 95 % confidence intervals. The other parameter is the "
        "paper's."
    )
    lowest: dict[tuple[str, str, float], str] = {}
    for row in sorted(drawn, key=lambda row: float(row["ratio"])):
        lowest.setdefault((row["channel"], row["knob"], row["value"]), row["cut_layer"])
    alt = "Lines over cut layers; lowest at: " + "; ".join(
        f"{CHANNELS[channel]}, {knob} {value:g}: {cut}" for (channel, knob, value), cut in lowest.items()
    )
    columns = ("channel", "knob", "value", "cut_layer", "ratio", "low", "high", "draws")
    return Picture("latency-by-cut", caption, alt, figure, Table("latency-by-cut", caption, columns, drawn))


def _draw_knob(axes: Axes, draws: Sequence[Draw], knob: str, unit: float, label: str) -> Iterator[dict[str, Any]]:
    """Draw a line per setting of a knob; yield what is drawn."""
    cuts = list(draws[0].latency_s)
    for number, setting in enumerate(sorted({float(getattr(draw.condition, knob)) for draw in draws})):
        chosen = [draw for draw in draws if getattr(draw.condition, knob) == setting]
        best = [draw.latency_s[draw.quickest] for draw in chosen]
        ratios = [paired_ratio([draw.latency_s[cut] for draw in chosen], best) for cut in cuts]
        draw_line(axes, range(len(cuts)), ratios, number, f"{setting / unit:g} {label}")
        for cut, found in zip(cuts, ratios, strict=True):
            ends = {"ratio": found.mean, "low": found.low, "high": found.high, "draws": found.n}
            yield {"knob": knob, "value": setting, "cut_layer": cut, **ends}
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xticks(range(len(cuts)), cuts, rotation=45, ha="right")
    axes.grid()
    axes.legend(handlelength=4)


def _map_rows(draws: Sequence[Draw]) -> Iterator[dict[str, Any]]:
    for channel, condition in dict.fromkeys((draw.channel, draw.condition) for draw in draws):
        here = [draw for draw in draws if (draw.channel, draw.condition) == (channel, condition)]
        (name, count), *_ = Counter(draw.quickest for draw in here).most_common()
        yield {
            "channel": channel,
            BANDWIDTH: condition.bandwidth_hz,
            SERVER: condition.server_cycles_per_s,
            "mean_position": float(np.mean([draw.position for draw in here])),
            "most_often": name,
            "share": count / len(here),
            "draws": len(here),
        }


def _map_picture(draws: Sequence[Draw], n_draws: int) -> Picture:
    cuts, drawn, channels = list(draws[0].latency_s), list(_map_rows(draws)), _channels(draws)
    with styled():
        figure = new_figure(1.2 + 4.2 * len(channels), 3.8)
        panels = figure.subplots(1, len(channels), sharey=True, squeeze=False)[0]
        for axes, channel in zip(panels, channels, strict=True):
            image = _draw_map(axes, [row for row in drawn if row["channel"] == channel], len(cuts))
            axes.set_title(f"quickest cut layer: {CHANNELS[channel]}")
        panels[0].set_ylabel("server, Gcycles/s")
        figure.colorbar(image, ax=panels[-1]).set_ticks(list(range(len(cuts))), labels=cuts)
    caption = (
        f"The cut layer of ResNet-18 that is most often the quickest, and in what part of {n_draws} draws; the shade "
        "is its mean position in the network."
    )
    alt = "Maps: " + "; ".join(
        f"{CHANNELS[row['channel']]}, {row[BANDWIDTH] / 1e6:g} MHz, {row[SERVER] / 1e9:g} Gcycles/s: "
        f"{row['most_often']}"
        for row in drawn
    )
    return Picture("quickest-cut", caption, alt, figure, Table("quickest-cut", caption, tuple(drawn[0]), drawn))


def _draw_map(axes: Axes, rows: Sequence[dict[str, Any]], n_cuts: int) -> AxesImage:
    bandwidths, servers = (sorted({row[knob] for row in rows}) for knob in (BANDWIDTH, SERVER))
    grid = np.full((len(servers), len(bandwidths)), np.nan)
    for row in rows:
        x, y = bandwidths.index(row[BANDWIDTH]), servers.index(row[SERVER])
        grid[y, x] = row["mean_position"]
        colour = "white" if grid[y, x] < (n_cuts - 1) / 2 else "black"
        axes.text(x, y, f"{row['most_often']}\n{row['share']:.0%}", ha="center", va="center", color=colour, fontsize=7)
    axes.set_xticks(range(len(bandwidths)), [f"{value / 1e6:g}" for value in bandwidths])
    axes.set_yticks(range(len(servers)), [f"{value / 1e9:g}" for value in servers])
    axes.set_xlabel("bandwidth of a subchannel, MHz")
    return axes.imshow(grid, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=n_cuts - 1)
