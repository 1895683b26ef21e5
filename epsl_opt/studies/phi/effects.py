"""What each aggregation ratio changes against phi = 0, and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epsl_opt.plugins.study import Picture, Row, Table
from epsl_opt.report.intervals import Interval, mean_interval, paired_difference, paired_ratio
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.shared.interval_lines import draw_line
from epsl_opt.studies.shared.to_target import SpeedUp, reach_of, speed_up

LATENCY_ONLY = "ResNet-18, latency only"
"""The setting that is the paper's own network, which is not trained."""


@dataclass(frozen=True)
class Learned:
    """What a ratio does to learning, against phi = 0 on the same seeds."""

    accuracy: Interval
    difference: Interval
    speed_up: SpeedUp
    rounds_to_target: tuple[float, ...]
    rates: str


@dataclass(frozen=True)
class Effect:
    """A ratio phi in a setting: its round latency over that of phi = 0, and what it does to learning."""

    setting: str
    phi: float
    latency: Interval
    learned: Learned | None

    def row(self) -> dict[str, Any]:
        """Return it as a row."""
        found: dict[str, Any] = {"setting": self.setting, "phi": self.phi, "seeds": self.latency.n}
        found |= _columns("latency_ratio", self.latency)
        if self.learned is None:
            return found
        rounds, learned = self.learned.rounds_to_target, self.learned
        found |= {"accuracy": learned.accuracy.mean} | _columns("difference", learned.difference)
        found |= {"rounds_to_target": sum(rounds) / len(rounds) if rounds else None, "reached": len(rounds)}
        return found | _columns("speed_up", learned.speed_up.ratio) | {"learning_rates": learned.rates}


TABLE_COLUMNS = (
    *("setting", "phi", "seeds", "accuracy", "difference", "difference_low", "difference_high"),
    *("rounds_to_target", "reached", "speed_up", "speed_up_low", "speed_up_high"),
    *("latency_ratio", "latency_ratio_low", "latency_ratio_high", "learning_rates"),
)


def effects_of(rows: Sequence[Row]) -> Iterator[Effect]:
    """Yield every ratio of every setting, over the seeds that ran with it and with phi = 0."""
    for setting in dict.fromkeys(str(row["setting"]) for row in rows):
        by_phi: dict[float, dict[int, Row]] = {}
        for row in rows:
            if row["setting"] == setting:
                by_phi.setdefault(float(row["phi"] or 0), {})[int(row["seed"] or 0)] = row
        base: Mapping[int, Row] = by_phi.get(0.0, {})
        for phi, found in sorted(by_phi.items()):
            seeds = sorted(found.keys() & base.keys())
            if seeds:
                yield _effect(setting, phi, [found[seed] for seed in seeds], [base[seed] for seed in seeds])


def _effect(setting: str, phi: float, mine: Sequence[Row], base: Sequence[Row]) -> Effect:
    latency = paired_ratio(_values(mine, "round_latency_s"), _values(base, "round_latency_s"))
    if setting == LATENCY_ONLY:
        return Effect(setting, phi, latency, None)
    accuracy = _values(mine, "final_accuracy")
    learned = Learned(
        accuracy=mean_interval(accuracy),
        difference=paired_difference(accuracy, _values(base, "final_accuracy")),
        speed_up=speed_up([*map(reach_of, base)], [*map(reach_of, mine)]),
        rounds_to_target=tuple(float(row["rounds_to_target"]) for row in mine if row["rounds_to_target"] is not None),
        rates=" ".join(sorted({f"{row['lr']:g}" for row in mine})),
    )
    return Effect(setting, phi, latency, learned)


def _values(rows: Sequence[Row], column: str) -> list[float]:
    return [float(row[column] or 0) for row in rows]


def _columns(name: str, found: Interval | None) -> dict[str, float | None]:
    values = (None, None, None) if found is None else (found.mean, found.low, found.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def draw(effects: Sequence[Effect], seeds: int, draws: int) -> Picture:
    """Draw accuracy, time to the target and latency over phi."""
    settings = list(dict.fromkeys(effect.setting for effect in effects))
    with styled():
        figure = new_figure(9.5, 3.9)
        panels = figure.subplots(1, 3)
        for number, setting in enumerate(settings):
            of_setting = [effect for effect in effects if effect.setting == setting]
            draw_line(panels[2], [e.phi for e in of_setting], [e.latency for e in of_setting], number, setting)
            learned = [(e.phi, e.learned) for e in of_setting if e.learned is not None]
            draw_line(panels[0], [x for x, _ in learned], [y.difference for _, y in learned], number, setting, 100)
            told = [(x, y.speed_up.ratio) for x, y in learned if y.speed_up.ratio is not None]
            draw_line(panels[1], [x for x, _ in told], [y for _, y in told], number, setting)
        titles = ("accuracy at the end", "time to the target", "round latency")
        labels = ("less that of phi = 0, points", "that of phi = 0 / that of phi", "relative to phi = 0")
        for axes, title, label, level in zip(panels, titles, labels, (0.0, 1.0, 1.0), strict=True):
            axes.set_title(title)
            axes.set_xlabel("aggregation ratio phi")
            axes.set_ylabel(label)
            axes.axhline(level, color="0.2", linewidth=0.8)
            axes.grid()
        figure.legend(*panels[2].get_legend_handles_labels(), loc="outside lower center", ncols=4, handlelength=4)
    caption = (
        f"Every phi against phi = 0, the same {seeds} seeds ({draws} for ResNet-18): means and 95 % confidence "
        "intervals. In the middle, above 1 is sooner than PSL; trainings that never reached the target count with the "
        "time of all their rounds."
    )
    alt = "Lines over phi. " + "; ".join(
        f"{e.setting}, phi {e.phi:g}: {100 * e.learned.difference.mean:+.1f} points, latency {e.latency.mean:.3g}"
        for e in effects
        if e.learned is not None and e.phi in (0.5, 1.0)
    )
    numbers = Table("phi", caption, TABLE_COLUMNS, [dict.fromkeys(TABLE_COLUMNS) | effect.row() for effect in effects])
    return Picture("phi", caption, alt, figure, numbers)
