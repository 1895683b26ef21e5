"""Where the quickest cut layer is, where it moves, and what a limit on it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from epsl_opt.plugins.study import Finding, Row, Verdict
from epsl_opt.report.intervals import paired_difference, paired_ratio
from epsl_opt.studies.shared.judging import judge_more

BANDWIDTH, SERVER = "bandwidth_hz", "server_cycles_per_s"
"""The knobs, named as the fields of a condition."""


CHANNELS = {"auto": "the paper's channel", "los": "line of sight"}
"""Values of the scenario's option `line_of_sight`: distance decides who sees the server, or everybody does."""


@dataclass(frozen=True)
class Condition:
    """Bandwidth of a subchannel, and the server's processor."""

    bandwidth_hz: float
    server_cycles_per_s: float


@dataclass(frozen=True)
class Draw:
    """Latencies of one draw of the scenario, by cut layer."""

    channel: str
    condition: Condition
    seed: int
    latency_s: dict[str, float]

    @property
    def quickest(self) -> str:
        """The best cut layer."""
        return min(self.latency_s, key=self.latency_s.__getitem__)

    @property
    def position(self) -> int:
        """Its place in the network."""
        return list(self.latency_s).index(self.quickest)


def draws_of(rows: Sequence[Row]) -> list[Draw]:
    """Return the draws, cut layers in the order of the network; without those a cut layer could not be solved for."""
    found: dict[tuple[str, Condition, int], dict[str, float | None]] = {}
    for row in sorted(rows, key=lambda row: int(row["cut"] or 0)):
        condition = Condition(float(row["bandwidth_hz"] or 0), float(row["server_cycles_per_s"] or 0))
        latency = row["latency_s"]
        by_cut = found.setdefault((str(row["channel"]), condition, int(row["seed"] or 0)), {})
        by_cut[str(row["cut_layer"])] = None if latency is None else float(latency)
    return [
        Draw(channel, condition, seed, {cut: latency for cut, latency in by_cut.items() if latency is not None})
        for (channel, condition, seed), by_cut in found.items()
        if all(latency is not None for latency in by_cut.values())
    ]


def latency_findings(rows: Sequence[Row], base: Condition) -> Iterator[Finding]:
    """Judge whether the quickest cut layer moves."""
    draws = draws_of(rows)
    for channel in dict.fromkeys(draw.channel for draw in draws):
        for what, knob in (("more bandwidth", BANDWIDTH), ("a faster server", SERVER)):
            line = [draw for draw in draws if draw.channel == channel and along(draw.condition, base, knob)]
            yield from _moves(f"with {what} the quickest cut layer is an earlier one ({CHANNELS[channel]})", line, knob)


def _moves(claim: str, draws: Sequence[Draw], knob: str) -> Iterator[Finding]:
    settings = sorted({float(getattr(draw.condition, knob)) for draw in draws})
    if len(settings) < 2:
        return
    least, most = (_positions(draws, knob, setting) for setting in (settings[0], settings[-1]))
    seeds = sorted(least.keys() & most.keys())
    if seeds:
        moved = paired_difference([least[seed] for seed in seeds], [most[seed] for seed in seeds])
        unit = "Hz" if knob == BANDWIDTH else "cycles/s"
        told = f"{settings[0]:g} to {settings[-1]:g} {unit}: {moved.text()} layers towards the data, {moved.n} draws"
        yield Finding(claim, judge_more(moved), told)


def _positions(draws: Sequence[Draw], knob: str, setting: float) -> dict[int, int]:
    return {draw.seed: draw.position for draw in draws if getattr(draw.condition, knob) == setting}


def along(condition: Condition, base: Condition, knob: str) -> bool:
    """Return whether a condition is the base but for one knob."""
    other = SERVER if knob == BANDWIDTH else BANDWIDTH
    return bool(getattr(condition, other) == getattr(base, other))


def min_cut_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Say whether the limit is kept, and what it costs."""
    solved = [row for row in rows if row["cut"] is not None]
    if not solved:
        return
    broken = sum(int(row["cut"] or 0) < int(row["min_cut"] or 0) for row in solved)
    claim = "the first allowed cut layer (--min-cut) is kept by certified schedules"
    told = f"{len(solved) - broken} of {len(solved)} schedules cut there or later"
    yield Finding(claim, Verdict.FAILS if broken else Verdict.HOLDS, told)
    found = [row for row in prices(rows) if row["ratio"] is not None]
    for channel in dict.fromkeys(str(row["channel"]) for row in found):
        text = "; ".join(f"{row['min_cut_layer']} {row['ratio']:.3g}" for row in found if row["channel"] == channel)
        claim = f"what it costs to keep the first layers on the devices ({CHANNELS[channel]})"
        yield Finding(claim, Verdict.OBSERVED, f"latency relative to no limit: {text}")


def prices(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return, for each channel and first allowed layer, the latency relative to no limit."""
    channels = dict.fromkeys(str(row["channel"]) for row in rows)
    return [price for channel in channels for price in _prices(channel, [r for r in rows if r["channel"] == channel])]


def _prices(channel: str, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    by_cut: dict[str, dict[int, Row]] = {}
    for row in rows:
        if row["latency_s"] is not None:
            by_cut.setdefault(str(row["min_cut_layer"]), {})[int(row["seed"] or 0)] = row
    free = next(iter(by_cut.values()), {})
    for name, of_cut in by_cut.items():
        seeds = sorted(of_cut.keys() & free.keys())
        latencies = [[float(of[seed]["latency_s"] or 0) for seed in seeds] for of in (of_cut, free)]
        ratio = paired_ratio(*latencies) if seeds else None
        chosen = Counter(str(row["chosen"]) for row in of_cut.values())
        yield {
            "channel": channel,
            "min_cut_layer": name,
            "draws": len(seeds),
            "ratio": None if ratio is None else ratio.mean,
            "ratio_low": None if ratio is None else ratio.low,
            "ratio_high": None if ratio is None else ratio.high,
            "chosen": ", ".join(f"{cut} x{count}" for cut, count in chosen.most_common()),
        }
