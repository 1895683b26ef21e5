"""What allocation, power control, cut choice and aggregation bring, alone and together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import ClassVar

import numpy as np

from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts, round_latency
from epsl_opt.core.results import Limits
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Finding, Picture, Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.intervals import judge_at_least, judge_at_most
from epsl_opt.report.plots.style import styled
from epsl_opt.solvers.primal.allocation import (
    equal_density_power_w,
    equal_power_w,
    greedy_allocation,
    strongest_signal_allocation,
)
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.power_control import best_schedule
from epsl_opt.solving.solve import solve
from epsl_opt.studies.shared.figures import arrays, grid, legend_below, picture
from epsl_opt.studies.shared.rows import columns, interval_of, select, whole
from epsl_opt.studies.shared.scenario import CHANNELS, paper
from epsl_opt.studies.shared.seeds import BySeed, by_seed, ratio

LABELS = {
    "allocation": "greedy subchannels",
    "power": "power control",
    "cut": "choice of the cut layer",
    "aggregation": "aggregation, phi = 0.5",
}
PARTS = tuple(LABELS)
COMBINATIONS = [dict(zip(PARTS, on, strict=True)) for on in product((0, 1), repeat=len(PARTS))]
WHEN = {"alone": 0, "last": 1}
"""When a part is added -> whether the others are there."""

SEEDS = {StudySize.QUICK: 4, StudySize.FULL: 40}
LIMITS = Limits(time_s=20.0, rel_gap=1e-4)


class AblationStudy(Study):
    """Every combination of the four parts on the paper's scenario."""

    name: ClassVar[str] = "ablation"
    title: ClassVar[str] = "Ablation: what each part of the resource management brings"
    question: ClassVar[str] = (
        "How much of the latency does each of allocation, power control, cut choice and aggregation save, alone and "
        "when it is the last to be added?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return one point per channel and seed."""
        return [{"fading": fading, "seed": seed} for fading, seed in product(CHANNELS, range(SEEDS[size]))]

    def run(self, point: Point) -> Sequence[Row]:
        """Return the latency of every combination, and of the certified optimum."""
        instance = load_instance(paper(fading=point["fading"], seed=point["seed"]))
        random_cut = int(np.random.default_rng(whole(point, "seed")).integers(instance.n_cut_layers))
        found: list[Row] = [
            {**on, "solver": "combination", "latency_s": _latency_s(instance, on, random_cut)} for on in COMBINATIONS
        ]
        optimum = solve(instance, "exact", LIMITS)
        return [*found, {**dict.fromkeys(PARTS, 1), "solver": "exact", "latency_s": optimum.latency_s}]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare latencies with and without each part on the same instances."""
        effects = list(_effects(rows))
        return Section(
            setting=[
                "The paper's scenario (5 clients, 20 subchannels, ResNet-18, 64 samples a client), "
                f"{SEEDS[size]} draws on flat channels and as many with Rayleigh fading.",
                "Without a part: subchannels by strongest received signal; equal power density; a random cut layer, "
                "the same for all combinations on a draw; phi = 0.",
                "With it: the paper's greedy allocation; exact power control; the best cut layer; phi = 0.5. "
                "The certified optimum of all together is the floor.",
                "Ratios are geometric means over draws of the latency without the part over that with it, on the same "
                "draw, with 95 % confidence intervals.",
            ],
            findings=[*map(_finding, effects), *_floor(rows)],
            pictures=[_picture(effects, SEEDS[size])],
            tables=[Table.of("medians", "Median round latency of every combination.", list(_medians(rows)))],
            limits=[
                "The order matters: what a part brings alone differs from what it brings last. Both ends are given.",
                "A random cut layer is a weak opponent: on this network most of its latency comes from a few bad ones.",
                "Aggregation changes what is learned, too; here only its time counts.",
            ],
        )


def _latency_s(instance: Instance, on: Mapping[str, int], random_cut: int) -> float:
    if not on["aggregation"]:
        instance = instance.with_training(aggregation_ratio=0.0)
    cuts = feasible_cuts(instance)
    chosen = cuts if on["cut"] else {random_cut: cuts[random_cut]}
    found = [_schedule(instance, j, costs, on) for j, costs in chosen.items()]
    return min(round_latency(instance, schedule).round_latency_s for schedule in found)


def _schedule(instance: Instance, cut: int, costs: CutCosts, on: Mapping[str, int]) -> Schedule:
    if on["allocation"]:
        owner = greedy_allocation(instance, costs, equal_density_power_w(instance))
    else:
        owner = strongest_signal_allocation(instance, costs)
    best = best_schedule(instance, costs, cut, owner) if on["power"] else None
    return best or Schedule(cut, owner, equal_power_w(instance, owner))


def _latencies(rows: Sequence[Row], fading: str, on: Mapping[str, int], solver: str = "combination") -> BySeed:
    return by_seed(rows, "latency_s", **on, fading=fading, solver=solver)


def _effects(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield how much a part saves on one kind of channel, alone or as the last one."""
    for fading, part, (when, others) in product(CHANNELS, PARTS, WHEN.items()):
        without, within = (_latencies(rows, fading, dict.fromkeys(PARTS, others) | {part: on}) for on in (0, 1))
        found = ratio(without, within)
        yield {"fading": fading, "part": part, "when": when, **columns(found, "ratio", ""), "draws": found.n}


def _finding(effect: Row) -> Finding:
    when = "alone" if effect["when"] == "alone" else "added last"
    claim = f"{LABELS[str(effect['part'])]} {when} shortens the round ({CHANNELS[str(effect['fading'])]})"
    found = interval_of(effect, "ratio", "")
    return Finding(claim, judge_at_least(found, 1.0), f"latency ratio {found.text(4)}, {found.n} draws")


def _floor(rows: Sequence[Row]) -> Iterator[Finding]:
    for fading, channel in CHANNELS.items():
        mine, floor = (_latencies(rows, fading, dict.fromkeys(PARTS, 1), s) for s in ("combination", "exact"))
        found = ratio(mine, floor)
        yield Finding(
            f"all four parts together are optimal within 1 % ({channel})",
            judge_at_most(found, 1.01),
            f"latency over the certified optimum {found.text(4)}",
        )


def _medians(rows: Sequence[Row]) -> Iterator[Row]:
    every = [(on, "combination") for on in COMBINATIONS] + [(COMBINATIONS[-1], "exact")]
    for fading, (on, solver) in product(CHANNELS, every):
        found = list(_latencies(rows, fading, on, solver).values())
        median_s = float(np.median(found))
        yield {"fading": fading, **on, "solver": solver, "median_latency_s": median_s, "draws": len(found)}


def _picture(effects: Sequence[Row], seeds: int) -> Picture:
    with styled():
        figure, (panels,) = grid(1, 2, 8.0, 3.4, share_y="all")
        for axes, (fading, channel) in zip(panels, CHANNELS.items(), strict=True):
            for number, when in enumerate(WHEN):
                shown = [interval_of(row, "ratio", "") for row in select(effects, fading=fading, when=when)]
                mean, low, high = arrays(shown)
                at = np.arange(len(shown)) + 0.38 * (number - 0.5)
                axes.barh(at, mean - 1, left=1, height=0.36, color=f"C{number}", label=when)
                reach = np.array([mean - low, high - mean])
                axes.errorbar(mean, at, xerr=reach, fmt="none", ecolor="0.2", capsize=2, linewidth=1)
            axes.set_yticks(range(len(PARTS)), list(LABELS.values()))
            axes.axvline(1, color="0.2", linewidth=0.8)
            axes.set(title=channel, xlabel="latency without / with")
            axes.grid(axis="x")
        panels[0].invert_yaxis()
        legend_below(figure, panels[0], 2)
    caption = (
        f"How much longer a round takes without each part: as the only part, and as the last one ({seeds} draws each)."
    )
    said = (f"{LABELS[str(e['part'])]} {e['when']}, {CHANNELS[str(e['fading'])]}: {e['ratio']:.3g}" for e in effects)
    return picture("effects", caption, "Bars of latency ratios; " + "; ".join(said), figure, effects)
