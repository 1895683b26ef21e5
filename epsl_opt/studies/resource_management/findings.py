"""What the runs of the resource study say about the paper's claim, and about the distance to the optimum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from epsl_opt.plugins.study import Finding, Row, Verdict
from epsl_opt.report.intervals import Interval, growth_exponent, judge_at_least
from epsl_opt.studies.resource_management.curves import Setting, curve_settings, setting_text, settings_of, values
from epsl_opt.studies.resource_management.parameters import PARAMETERS, Parameter
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.nearness import NEAR, PERCENT, excess, judge_near
from epsl_opt.studies.shared.rows import BySeed, columns, geometric_mean, mean, over_settings, percent, quotients, ratio
from epsl_opt.studies.shared.solver_runs import BASELINES, PAPER, SOLVERS


def findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield the comparisons with the baselines, then the gaps, then what a resource is worth."""
    for fading in CHANNELS:
        yield from (_against(rows, fading, baseline) for baseline in BASELINES)
    for fading in CHANNELS:
        yield from (_near(rows, fading, solver) for solver in (*PAPER, "convex", "local-search"))
        yield from (_largest(rows, fading, solver) for solver in PAPER)
    for fading in CHANNELS:
        yield _strongest(rows, fading)


def elasticity_rows(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Yield by how much the optimal latency grows with each resource, as an exponent."""
    for fading in CHANNELS:
        for parameter in PARAMETERS:
            slope = _elasticity(rows, parameter, fading)
            yield {"fading": fading, "parameter": parameter.name, **columns(slope, "exponent"), "draws": slope.n}


def _against(rows: Sequence[Row], fading: str, baseline: str) -> Finding:
    settings = settings_of(rows)
    pairs = {setting: _pair(rows, setting, fading, baseline) for setting in settings}
    overall = geometric_mean(over_settings([quotients(*pair) for pair in pairs.values()], geometric=True))
    each = {setting: ratio(*pair) for setting, pair in pairs.items() if pair[0].keys() & pair[1].keys()}
    alone = sum(found.low >= 1 for found in each.values())
    return Finding(
        f"the paper's algorithm (bcd) shortens the round against {baseline} ({CHANNELS[fading]})",
        judge_at_least(overall, 1.0),
        f"latency of {baseline} over bcd's {overall.text()}, {overall.n} draws, all {len(settings)} settings together; "
        f"by its own interval at {alone} of them{_at_least(each)}",
    )


def _pair(rows: Sequence[Row], setting: Setting, fading: str, baseline: str) -> tuple[BySeed, BySeed]:
    theirs, mine = (values(rows, "latency_s", setting, fading, solver) for solver in (baseline, "bcd"))
    return theirs, mine


def _at_least(each: dict[Setting, Interval]) -> str:
    if not each:
        return ""
    least = min(each, key=lambda setting: each[setting].mean)
    return f"; least at {setting_text(least)}: {each[least].text()}"


def _gaps(rows: Sequence[Row], fading: str, solver: str) -> dict[Setting, BySeed]:
    found = {setting: values(rows, "gap", setting, fading, solver) for setting in settings_of(rows)}
    return {setting: gaps for setting, gaps in found.items() if gaps}


def _near(rows: Sequence[Row], fading: str, solver: str) -> Finding:
    gaps = _gaps(rows, fading, solver)
    overall = mean(over_settings(list(gaps.values())))
    sure = mean(over_settings([_excess(rows, setting, fading, solver) for setting in gaps]))
    within = sum(gap <= NEAR for by_seed in gaps.values() for gap in by_seed.values())
    draws = sum(map(len, gaps.values()))
    return Finding(
        f"{solver} is within {PERCENT} of the certified optimum on average ({CHANNELS[fading]})",
        judge_near(overall, sure),
        f"mean gap {percent(overall)}, {overall.n} draws, all {len(gaps)} settings together; within {PERCENT} on "
        f"{within} of {draws} instances",
    )


def _excess(rows: Sequence[Row], setting: Setting, fading: str, solver: str) -> BySeed:
    latencies = [values(rows, "latency_s", setting, fading, each) for each in SOLVERS]
    return excess(values(rows, "latency_s", setting, fading, solver), latencies)


def _largest(rows: Sequence[Row], fading: str, solver: str) -> Finding:
    gaps = _gaps(rows, fading, solver)
    claim = f"where {solver} is farthest from the optimum ({CHANNELS[fading]})"
    if not gaps:
        return Finding(claim, Verdict.OPEN, "no runs")
    far = max(gaps, key=lambda setting: mean(gaps[setting]).mean)
    worst = max(gaps, key=lambda setting: max(gaps[setting].values()))
    used = mean(values(rows, "used_share", far, fading, solver))
    return Finding(
        claim,
        Verdict.OBSERVED,
        f"mean gap largest at {setting_text(far)}: {percent(mean(gaps[far]))}, where its schedules use "
        f"{100 * used.mean:.3g} % of the subchannels; largest of one instance "
        f"{100 * max(gaps[worst].values()):.3g} %, at {setting_text(worst)}",
    )


def _strongest(rows: Sequence[Row], fading: str) -> Finding:
    slopes = {parameter.name: _elasticity(rows, parameter, fading) for parameter in PARAMETERS}
    ordered = sorted(slopes, key=lambda name: slopes[name].mean)
    return Finding(
        f"what the optimal round depends on most ({CHANNELS[fading]})",
        Verdict.OBSERVED,
        "per cent of latency for one per cent more: " + "; ".join(f"{name} {slopes[name].text(2)}" for name in ordered),
    )


def _elasticity(rows: Sequence[Row], parameter: Parameter, fading: str) -> Interval:
    """Return the mean over draws of the slope of log latency over log value; draws that lack a value are left out."""
    curve = {x: values(rows, "latency_s", setting, fading, "exact") for x, setting in curve_settings(rows, parameter)}
    complete = set.intersection(*map(set, curve.values())) if len(curve) >= 3 else set()
    return mean({seed: growth_exponent(list(curve), [curve[x][seed] for x in curve]).mean for seed in sorted(complete)})
