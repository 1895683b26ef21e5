"""What allocation, power control, cut choice and aggregation bring, alone and together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np

from epsl_opt.core.instance import Instance
from epsl_opt.core.latency import CutCosts, round_latency
from epsl_opt.core.results import Limits
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.study import Finding, Picture, Point, Row, Section, Study, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.report.intervals import Interval, judge_at_least, paired_ratio
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.solvers.primal.allocation import (
    equal_density_power_w,
    equal_power_w,
    greedy_allocation,
    strongest_signal_allocation,
)
from epsl_opt.solvers.primal.cuts import feasible_cuts
from epsl_opt.solvers.primal.power_control import best_schedule
from epsl_opt.solving.solve import solve
from epsl_opt.studies.shared.scenario import CHANNELS

PARTS = ("allocation", "power", "cut", "aggregation")
LABELS = {
    "allocation": "greedy subchannels",
    "power": "power control",
    "cut": "choice of the cut layer",
    "aggregation": "aggregation, phi = 0.5",
}
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

    def run(self, point: Point) -> Sequence[dict[str, Any]]:
        """Return the latency of every combination, and of the certified optimum."""
        instance = load_instance(f"paper:fading={point['fading']},seed={point['seed']}")
        random_cut = np.random.default_rng(int(point["seed"] or 0)).integers(instance.n_cut_layers)
        rows = [_combination(instance, dict(zip(PARTS, on, strict=True)), int(random_cut)) for on in _all_settings()]
        optimum = solve(instance, "exact", LIMITS)
        return [*rows, dict.fromkeys(PARTS, 1) | {"solver": "exact", "latency_s": optimum.latency_s}]

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Compare latencies with and without each part on the same instances."""
        effects = [effect for fading in CHANNELS for part in PARTS for effect in _effects(rows, fading, part)]
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
            tables=[
                Table("medians", "Median round latency of every combination.", MEDIAN_COLUMNS, list(_medians(rows)))
            ],
            limits=[
                "The order matters: what a part brings alone differs from what it brings last. Both ends are given.",
                "A random cut layer is a weak opponent: on this network most of its latency comes from a few bad ones.",
                "Aggregation changes what is learned, too; here only its time counts.",
            ],
        )


def _all_settings() -> Iterable[tuple[int, ...]]:
    return product((0, 1), repeat=len(PARTS))


def _combination(instance: Instance, on: dict[str, int], random_cut: int) -> dict[str, Any]:
    if not on["aggregation"]:
        instance = instance.with_training(aggregation_ratio=0.0)
    cuts = feasible_cuts(instance)
    chosen = cuts if on["cut"] else {random_cut: cuts[random_cut]}
    found = [_schedule(instance, j, costs, on) for j, costs in chosen.items()]
    latency_s = min(round_latency(instance, schedule).round_latency_s for schedule in found)
    return on | {"solver": "combination", "latency_s": latency_s}


def _schedule(instance: Instance, cut: int, costs: CutCosts, on: dict[str, int]) -> Schedule:
    if on["allocation"]:
        owner = greedy_allocation(instance, costs, equal_density_power_w(instance))
    else:
        owner = strongest_signal_allocation(instance, costs)
    best = best_schedule(instance, costs, cut, owner) if on["power"] else None
    return best or Schedule(cut, owner, equal_power_w(instance, owner))


class _Effect:
    """How much a part saves on one kind of channel, alone or as the last one."""

    def __init__(self, fading: str, part: str, when: str, ratio: Interval) -> None:
        self.fading, self.part, self.when, self.ratio = fading, part, when, ratio

    def row(self) -> dict[str, Any]:
        """Return it as a row."""
        ratio = self.ratio
        return {
            "fading": self.fading,
            "part": self.part,
            "when": self.when,
            "ratio": ratio.mean,
            "low": ratio.low,
            "high": ratio.high,
            "draws": ratio.n,
        }


def _effects(rows: Sequence[Row], fading: str, part: str) -> Iterable[_Effect]:
    for when, others in (("alone", 0), ("last", 1)):
        setting = dict.fromkeys(PARTS, others)
        without, within = (_latencies(rows, fading, setting | {part: on}) for on in (0, 1))
        yield _Effect(fading, part, when, paired_ratio(without, within))


def _latencies(rows: Sequence[Row], fading: str, setting: dict[str, int], solver: str = "combination") -> list[float]:
    """Return the latencies of a combination, in the order of the seeds."""
    wanted = setting | {"fading": fading, "solver": solver}
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    return [float(row["latency_s"] or 0) for row in sorted(found, key=lambda row: int(row["seed"] or 0))]


def _finding(effect: _Effect) -> Finding:
    when = "alone" if effect.when == "alone" else "added last"
    channel = CHANNELS[effect.fading]
    claim = f"{LABELS[effect.part]} {when} shortens the round ({channel})"
    return Finding(
        claim, judge_at_least(effect.ratio, 1.0), f"latency ratio {effect.ratio.text(4)}, {effect.ratio.n} draws"
    )


def _floor(rows: Sequence[Row]) -> Iterable[Finding]:
    every = dict.fromkeys(PARTS, 1)
    for fading in CHANNELS:
        ratio = paired_ratio(_latencies(rows, fading, every), _latencies(rows, fading, every, "exact"))
        claim = f"all four parts together are optimal within 1 % ({CHANNELS[fading]})"
        yield Finding(
            claim,
            judge_at_least(Interval(1.01 / ratio.mean, 1.01 / ratio.high, 1.01 / ratio.low, ratio.n), 1.0),
            f"latency over the certified optimum {ratio.text(4)}",
        )


def _picture(effects: Sequence[_Effect], seeds: int) -> Picture:
    with styled():
        figure = new_figure(8.0, 3.4)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, fading in zip(panels, CHANNELS, strict=True):
            for number, when in enumerate(("alone", "last")):
                shown = [effect for effect in effects if (effect.fading, effect.when) == (fading, when)]
                ratio = np.array([effect.ratio.mean for effect in shown])
                low, high = (np.array([getattr(effect.ratio, end) for effect in shown]) for end in ("low", "high"))
                at = np.arange(len(shown)) + 0.38 * (number - 0.5)
                axes.barh(at, ratio - 1, left=1, height=0.36, color=f"C{number}", label=when)
                axes.errorbar(
                    ratio, at, xerr=[ratio - low, high - ratio], fmt="none", ecolor="0.2", capsize=2, linewidth=1
                )
            axes.set_yticks(range(len(PARTS)), [LABELS[part] for part in PARTS])
            axes.axvline(1, color="0.2", linewidth=0.8)
            axes.set_title(CHANNELS[fading])
            axes.set_xlabel("latency without / with")
            axes.grid(axis="x")
        panels[0].invert_yaxis()
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    numbers = Table("effects", "What each part saves.", tuple(effects[0].row()), [effect.row() for effect in effects])
    caption = (
        f"How much longer a round takes without each part: as the only part, and as the last one ({seeds} draws each)."
    )
    alt = "Bars of latency ratios; " + "; ".join(
        f"{LABELS[e.part]} {e.when}, {CHANNELS[e.fading]}: {e.ratio.mean:.3g}" for e in effects
    )
    return Picture("effects", caption, alt, figure, numbers)


MEDIAN_COLUMNS = ("fading", *PARTS, "solver", "median_latency_s", "draws")


def _medians(rows: Sequence[Row]) -> Iterable[dict[str, Any]]:
    every = dict.fromkeys(PARTS, 1)
    settings = [(dict(zip(PARTS, on, strict=True)), "combination") for on in _all_settings()]
    for fading in CHANNELS:
        for setting, solver in [*settings, (every, "exact")]:
            found = _latencies(rows, fading, setting, solver)
            yield {
                "fading": fading,
                **setting,
                "solver": solver,
                "median_latency_s": float(np.median(found)),
                "draws": len(found),
            }
