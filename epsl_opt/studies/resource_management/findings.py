"""What the runs of the resource study say: of the baselines, the distance to the optimum, and each resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from epsl_opt.plugins.study import Cell, Finding, Row, Verdict
from epsl_opt.report.intervals import Interval, growth_exponent, judge_at_least
from epsl_opt.studies.resource_management.parameters import AS_PUBLISHED, PARAMETERS, Parameter
from epsl_opt.studies.shared.judging import NEAR, PERCENT, excess, judge_near
from epsl_opt.studies.shared.rows import columns, number
from epsl_opt.studies.shared.scenario import CHANNELS, OnChannel
from epsl_opt.studies.shared.seeds import (
    BySeed,
    by_seed,
    geometric_mean,
    mean,
    over_settings,
    quotients,
    ratio,
)
from epsl_opt.studies.shared.solver_runs import BASELINES, PAPER, SOLVERS

FLOOR = "floor"
"""Stands among the solvers for the certified bound."""

Setting = tuple[str, float | None]


def setting_text(setting: Setting) -> str:
    """Return a setting in words."""
    parameter, value = setting
    return "the paper's setting" if value is None else f"{parameter} = {value:g}"


class Runs(OnChannel):
    """The runs on one kind of channel."""

    @property
    def settings(self) -> list[Setting]:
        """The settings that were run, in their order."""
        found = ((str(row["parameter"]), None if row["value"] is None else number(row, "value")) for row in self.rows)
        return list(dict.fromkeys(found))

    def at(self, setting: Setting, column: str, solver: str) -> BySeed:
        """Return a solver's values at a setting, by seed."""
        parameter, value = setting
        return by_seed(self.rows, column, parameter=parameter, value=value, fading=self.fading, solver=solver)

    def everywhere(self, column: str, solver: str) -> dict[Setting, BySeed]:
        """Return a solver's values at every setting."""
        return {setting: self.at(setting, column, solver) for setting in self.settings}

    def excess(self, setting: Setting, solver: str) -> BySeed:
        """Return by which fraction a solver's round could surely be shorter."""
        return excess(self.at(setting, "latency_s", solver), [self.at(setting, "latency_s", each) for each in SOLVERS])

    def curve(self, parameter: Parameter) -> list[tuple[float, Setting]]:
        """Return the values of a parameter that were run, ascending, the paper's own among them."""
        own = [setting for setting in self.settings if setting[0] in (parameter.name, AS_PUBLISHED)]
        return sorted({parameter.paper if value is None else value: (name, value) for name, value in own}.items())

    def elasticity(self, parameter: Parameter) -> Interval:
        """Return the mean over draws of the slope of log latency over log value; incomplete draws are left out."""
        curve = {x: self.at(setting, "latency_s", "exact") for x, setting in self.curve(parameter)}
        whole = sorted(set.intersection(*map(set, curve.values()))) if len(curve) >= 3 else []
        return mean({seed: growth_exponent(list(curve), [curve[x][seed] for x in curve]).mean for seed in whole})


def curve_rows(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Return latency and gap of every solver, and the floor, at every value of every parameter."""
    return [
        {"fading": fading, "parameter": parameter.name, "value": value, **line}
        for fading in CHANNELS
        for runs in [Runs(rows, fading)]
        for parameter in PARAMETERS
        for value, setting in runs.curve(parameter)
        for line in _lines(runs, setting)
    ]


def _lines(runs: Runs, setting: Setting) -> Iterator[dict[str, Cell]]:
    floor = runs.at(setting, "bound_s", "exact")
    yield _line(FLOOR, floor, dict.fromkeys(floor, 0.0))
    for solver in SOLVERS:
        yield _line(solver, *(runs.at(setting, column, solver) for column in ("latency_s", "gap")))


def _line(solver: str, latency_s: BySeed, gap: BySeed) -> dict[str, Cell]:
    means = columns(geometric_mean(latency_s), "latency_s") | columns(mean(gap), "gap")
    return {"solver": solver} | means | {"largest_gap": max(gap.values(), default=None), "draws": len(latency_s)}


def elasticity_rows(rows: Sequence[Row]) -> Iterator[dict[str, Cell]]:
    """Yield by how much the optimal latency grows with each resource, as an exponent."""
    for fading in CHANNELS:
        for parameter in PARAMETERS:
            slope = Runs(rows, fading).elasticity(parameter)
            yield {"fading": fading, "parameter": parameter.name, **columns(slope, "exponent"), "draws": slope.n}


def findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield the comparisons with the baselines, then the gaps, then what a resource is worth."""
    channels = [Runs(rows, fading) for fading in CHANNELS]
    for runs in channels:
        yield from (_against(runs, baseline) for baseline in BASELINES)
    for runs in channels:
        yield from (_near(runs, solver) for solver in (*PAPER, "convex", "local-search"))
        yield from (_largest(runs, solver) for solver in PAPER)
    yield from (_strongest(runs) for runs in channels)


def _against(runs: Runs, baseline: str) -> Finding:
    theirs, mine = (runs.everywhere("latency_s", solver) for solver in (baseline, "bcd"))
    overall = geometric_mean(over_settings([quotients(theirs[at], mine[at]) for at in theirs], geometric=True))
    each = {at: found for at in theirs if (found := ratio(theirs[at], mine[at])).n}
    told = f"; by its own interval at {sum(found.low >= 1 for found in each.values())} of them"
    if each:
        least = min(each, key=lambda at: each[at].mean)
        told += f"; least at {setting_text(least)}: {each[least].text()}"
    return Finding(
        f"the paper's algorithm (bcd) shortens the round against {baseline} ({runs.channel})",
        judge_at_least(overall, 1.0),
        f"latency of {baseline} over bcd's {overall.text()}, {overall.n} draws, all {len(theirs)} settings together"
        + told,
    )


def _gaps(runs: Runs, solver: str) -> Mapping[Setting, BySeed]:
    return {setting: gaps for setting, gaps in runs.everywhere("gap", solver).items() if gaps}


def _near(runs: Runs, solver: str) -> Finding:
    gaps = _gaps(runs, solver)
    overall = mean(over_settings(list(gaps.values())))
    within = [gap <= NEAR for of_setting in gaps.values() for gap in of_setting.values()]
    return Finding(
        f"{solver} is within {PERCENT} of the certified optimum on average ({runs.channel})",
        judge_near(overall, mean(over_settings([runs.excess(setting, solver) for setting in gaps]))),
        f"mean gap {overall.percent()}, {overall.n} draws, all {len(gaps)} settings together; within {PERCENT} on "
        f"{sum(within)} of {len(within)} instances",
    )


def _largest(runs: Runs, solver: str) -> Finding:
    gaps = _gaps(runs, solver)
    claim = f"where {solver} is farthest from the optimum ({runs.channel})"
    if not gaps:
        return Finding(claim, Verdict.OPEN, "no runs")
    far = max(gaps, key=lambda setting: mean(gaps[setting]).mean)
    worst = max(gaps, key=lambda setting: max(gaps[setting].values()))
    return Finding(
        claim,
        Verdict.OBSERVED,
        f"mean gap largest at {setting_text(far)}: {mean(gaps[far]).percent()}, where its schedules use "
        f"{100 * mean(runs.at(far, 'used_share', solver)).mean:.3g} % of the subchannels; largest of one instance "
        f"{100 * max(gaps[worst].values()):.3g} %, at {setting_text(worst)}",
    )


def _strongest(runs: Runs) -> Finding:
    slopes = {parameter.name: runs.elasticity(parameter) for parameter in PARAMETERS}
    ordered = sorted(slopes, key=lambda name: slopes[name].mean)
    return Finding(
        f"what the optimal round depends on most ({runs.channel})",
        Verdict.OBSERVED,
        "per cent of latency for one per cent more: " + "; ".join(f"{name} {slopes[name].text(2)}" for name in ordered),
    )
