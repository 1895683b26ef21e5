"""What each aggregation ratio changes against phi = 0: the findings, the rows, the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from epsl_opt.plugins.study import Cell, Finding, Picture, Row, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.shared.figures import NUMBERED, draw_rows, grid, legend_below, picture
from epsl_opt.studies.shared.rows import NOTHING, columns, distinct, number, select
from epsl_opt.studies.shared.seeds import ratio
from epsl_opt.studies.shared.trained import Versus, summary, trained, values

LATENCY_ONLY = "ResNet-18, latency only"
"""The setting that is the paper's own network, which is not trained."""

JUDGED = (0.5, 1.0)

COLUMNS = (
    *("setting", "phi", "seeds", "accuracy", "difference", "difference_low", "difference_high"),
    *("rounds_to_target", "reached", "speed_up", "speed_up_low", "speed_up_high"),
    *("latency_ratio", "latency_ratio_low", "latency_ratio_high", "learning_rates"),
)


@dataclass(frozen=True)
class Effect:
    """A ratio phi in a setting against phi = 0, over the seeds of both."""

    setting: str
    phi: float
    found: Versus

    @property
    def learned(self) -> bool:
        """Whether anything was trained."""
        return self.setting != LATENCY_ONLY

    @property
    def latency(self) -> Interval:
        """The round latency over that of phi = 0."""
        return ratio(*(values(rows, "round_latency_s") for rows in (self.found.mine, self.found.theirs)))

    def row(self) -> dict[str, Cell]:
        """Return it as a row; what comes of learning is empty where nothing was trained."""
        row: dict[str, Cell] = {**dict.fromkeys(COLUMNS), "setting": self.setting, "phi": self.phi}
        row |= {"seeds": self.latency.n, **columns(self.latency, "latency_ratio")}
        if self.learned:
            own = summary(self.found.mine)
            row |= {column: own[column] for column in COLUMNS if column in own}
            row |= columns(self.found.difference, "difference")
            row |= columns(self.found.speed_up.ratio or NOTHING, "speed_up")
        return row


def effects_of(rows: Sequence[Row]) -> list[Effect]:
    """Return every ratio of every setting, over the seeds that ran with it and with phi = 0."""
    found = [
        Effect(setting, phi, Versus.on_common_seeds(trained(of, phi=phi), trained(of, phi=0.0)))
        for setting in distinct(rows, "setting")
        for of in [select(rows, setting=setting)]
        for phi in sorted({number(row, "phi") for row in of})
    ]
    return [effect for effect in found if effect.found.mine]


def findings(effects: Sequence[Effect]) -> Iterator[Finding]:
    """Yield whether rounds are shorter, accuracy similar, the target reached sooner, and with which phi soonest."""
    for effect in (effect for effect in effects if effect.phi == max(JUDGED)):
        saved = effect.found.latency
        claim = f"phi = {effect.phi:g} shortens the round ({effect.setting.removesuffix(', latency only')})"
        yield Finding(claim, judge_at_least(saved, 1.0), f"latency of phi = 0 over it {saved.text()}, {saved.n} draws")
    judged = [effect for effect in effects if effect.learned and effect.phi in JUDGED]
    for effect in judged:
        claim = f"EPSL({effect.phi:g}) gets within a point of PSL's accuracy ({effect.setting})"
        less = effect.found.difference
        yield Finding(claim, effect.found.similar, f"{less.points()}, {less.n} seeds")
    for effect in judged:
        claim = f"EPSL({effect.phi:g}) reaches the target in less simulated time than PSL ({effect.setting})"
        sooner = effect.found.speed_up
        yield Finding(claim, sooner.verdict(), f"PSL's time over EPSL's {sooner.text()}")
    for setting in dict.fromkeys(effect.setting for effect in judged):
        yield _soonest(setting, [effect for effect in effects if effect.setting == setting])


def _soonest(setting: str, effects: Sequence[Effect]) -> Finding:
    """Say which ratio reached the target soonest, of those that did on all seeds."""
    claim = f"which phi reaches the target soonest ({setting})"
    sped = [(effect.phi, effect.found.speed_up) for effect in effects]
    told = [(s.ratio.mean, phi, s.text()) for phi, s in sped if s.ratio is not None and not s.mine_missing]
    if not told:
        return Finding(claim, Verdict.OPEN, "no phi reached it on all seeds")
    _, phi, text = max(told)
    return Finding(claim, Verdict.OBSERVED, f"phi = {phi:g}; PSL's time over it {text}")


PANELS = (
    ("difference", 100.0, "accuracy at the end", "less that of phi = 0, points", 0.0),
    ("speed_up", 1.0, "time to the target", "that of phi = 0 / that of phi", 1.0),
    ("latency_ratio", 1.0, "round latency", "relative to phi = 0", 1.0),
)
"""Column, its scale, title, label, and the level of phi = 0."""


def draw(effects: Sequence[Effect], seeds: int, draws: int) -> Picture:
    """Draw accuracy, time to the target and latency over phi."""
    rows = [effect.row() for effect in effects]
    with styled():
        figure, (panels,) = grid(1, 3, 9.5, 3.9)
        for axes, (column, scale, title, label, level) in zip(panels, PANELS, strict=True):
            for look, setting in zip(NUMBERED, distinct(rows, "setting"), strict=False):
                told = [row for row in select(rows, setting=setting) if row[column] is not None]
                draw_rows(axes, told, "phi", column, look, setting, scale)
            axes.set(title=title, xlabel="aggregation ratio phi", ylabel=label)
            axes.axhline(level, color="0.2", linewidth=0.8)
            axes.grid()
        legend_below(figure, panels[2], 4, handle=4)
    caption = (
        f"Every phi against phi = 0, the same {seeds} seeds ({draws} for ResNet-18): means and 95 % confidence "
        "intervals. In the middle, above 1 is sooner than PSL; trainings that never reached the target count with the "
        "time of all their rounds."
    )
    said = (
        f"{e.setting}, phi {e.phi:g}: {100 * e.found.difference.mean:+.1f} points, latency {e.latency.mean:.3g}"
        for e in effects
        if e.learned and e.phi in JUDGED
    )
    return picture("phi", caption, "Lines over phi. " + "; ".join(said), figure, rows)
