"""Where the quickest cut layer is, where it moves, and what a limit on it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from epsl_opt.plugins.study import Cell, Finding, Row, Verdict
from epsl_opt.studies.shared.judging import judge_more
from epsl_opt.studies.shared.rows import columns, distinct, number, select, whole
from epsl_opt.studies.shared.seeds import by_seed, difference, ratio

BANDWIDTH, SERVER = "bandwidth_hz", "server_cycles_per_s"
"""The knobs, named as the columns of their settings."""

BASE = {BANDWIDTH: 10e6, SERVER: 5e9}
"""The paper's bandwidth of a subchannel and server."""

CHANNELS = {"auto": "the paper's channel", "los": "line of sight"}
"""Values of the scenario's option `line_of_sight`: distance decides who sees the server, or everybody does."""


@dataclass(frozen=True)
class Draw:
    """Latencies of one draw of the scenario by cut layer, at settings of both knobs."""

    channel: str
    at: Mapping[str, float]
    seed: int
    latency_s: Mapping[str, float]

    @property
    def quickest(self) -> str:
        """The best cut layer."""
        return min(self.latency_s, key=lambda cut: self.latency_s[cut])

    @property
    def position(self) -> int:
        """Its place in the network."""
        return list(self.latency_s).index(self.quickest)


def draws_of(rows: Sequence[Row]) -> list[Draw]:
    """Return the draws, cut layers in the order of the network; without those a cut layer could not be solved for."""
    found: dict[tuple[str, float, float, int], list[Row]] = {}
    for row in sorted(rows, key=lambda row: whole(row, "cut")):
        key = (str(row["channel"]), number(row, BANDWIDTH), number(row, SERVER), whole(row, "seed"))
        found.setdefault(key, []).append(row)
    return [
        Draw(channel, {BANDWIDTH: hz, SERVER: speed}, seed, {str(r["cut_layer"]): number(r, "latency_s") for r in of})
        for (channel, hz, speed, seed), of in found.items()
        if all(row["latency_s"] is not None for row in of)
    ]


def along(draws: Sequence[Draw], channel: str, knob: str) -> dict[float, list[Draw]]:
    """Return the draws of a channel by the setting of a knob, ascending; the other knob's is the paper's."""
    other = SERVER if knob == BANDWIDTH else BANDWIDTH
    line = [draw for draw in draws if draw.channel == channel and draw.at[other] == BASE[other]]
    return {value: [d for d in line if d.at[knob] == value] for value in sorted({draw.at[knob] for draw in line})}


def latency_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge whether the quickest cut layer moves."""
    draws = draws_of(rows)
    for channel in dict.fromkeys(draw.channel for draw in draws):
        for what, knob, unit in (("more bandwidth", BANDWIDTH, "Hz"), ("a faster server", SERVER, "cycles/s")):
            line = along(draws, channel, knob)
            if len(line) > 1:
                least, most = min(line), max(line)
                moved = difference(*({draw.seed: draw.position for draw in line[end]} for end in (least, most)))
                claim = f"with {what} the quickest cut layer is an earlier one ({CHANNELS[channel]})"
                told = f"{least:g} to {most:g} {unit}: {moved.text()} layers towards the data, {moved.n} draws"
                yield Finding(claim, judge_more(moved), told)


def min_cut_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Say whether the limit is kept, and what it costs."""
    solved = [row for row in rows if row["cut"] is not None]
    if not solved:
        return
    broken = sum(whole(row, "cut") < whole(row, "min_cut") for row in solved)
    claim = "the first allowed cut layer (--min-cut) is kept by certified schedules"
    told = f"{len(solved) - broken} of {len(solved)} schedules cut there or later"
    yield Finding(claim, Verdict.FAILS if broken else Verdict.HOLDS, told)
    found = [row for row in prices(rows) if row["ratio"] is not None]
    for channel in distinct(found, "channel"):
        text = "; ".join(f"{row['min_cut_layer']} {row['ratio']:.3g}" for row in select(found, channel=channel))
        claim = f"what it costs to keep the first layers on the devices ({CHANNELS[channel]})"
        yield Finding(claim, Verdict.OBSERVED, f"latency relative to no limit: {text}")


def prices(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Return, for each channel and first allowed layer, the latency relative to no limit."""
    solved = [row for row in rows if row["latency_s"] is not None]
    return [
        price for channel in distinct(solved, "channel") for price in _prices(channel, select(solved, channel=channel))
    ]


def _prices(channel: str, rows: Sequence[Row]) -> Iterator[dict[str, Cell]]:
    limits = distinct(rows, "min_cut_layer")
    for limit in limits:
        found = ratio(*(by_seed(rows, "latency_s", min_cut_layer=layer) for layer in (limit, limits[0])))
        chosen = Counter(str(row["chosen"]) for row in select(rows, min_cut_layer=limit))
        told = ", ".join(f"{cut} x{count}" for cut, count in chosen.most_common())
        price = columns(found, "ratio")
        yield {"channel": channel, "min_cut_layer": limit, "draws": found.n, **price, "chosen": told}
