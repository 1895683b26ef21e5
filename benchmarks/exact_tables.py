"""Tables of the speed comparison, as Markdown and CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from benchmarks.contenders import CONTENDERS
from benchmarks.exact_runs import Outcome
from docs_tools.marked_text import markdown_table
from epsl_opt.files.csv_text import format_csv

REFERENCE = "exact"


def by_solver(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Sort outcomes into the contenders' order; those that did not take a single instance are left out."""
    groups = {name: [one for one in outcomes if one.run.solver == name] for name in CONTENDERS}
    return {name: group for name, group in groups.items() if any(one.stop_reason != "unsupported" for one in group)}


def summary_table(outcomes: Sequence[Outcome], gaps: Sequence[float]) -> str:
    """Return, per solver, on how many instances each gap was proved, and median and longest time to it.

    Runs that ended without the gap count as longer than any other; what did not run at all is named below the table.
    """
    head = "| solver | " + " | ".join(f"proved {gap:g} | median (s) | longest (s)" for gap in gaps) + " |"
    rule = "|---|" + "--:|" * (3 * len(gaps))
    rows = []
    for name, group in by_solver(outcomes).items():
        cells = [CONTENDERS[name].about]
        for gap in gaps:
            times = [one.time_to_gap_s(gap) for one in group]
            proved = sum(map(math.isfinite, times))
            cells += [f"{proved} of {len(group)}", _seconds(median(times), group), _seconds(max(times), group)]
        rows.append(cells)
    return "\n".join([markdown_table(head, rule, rows), *_absent(outcomes)])


def _absent(outcomes: Sequence[Outcome]) -> list[str]:
    """Say why the contenders that are not in the table are not."""
    there = by_solver(outcomes)
    reasons = {one.run.solver: one.message for one in outcomes if one.run.solver not in there}
    return [f"\nNot run: {CONTENDERS[name].about}: {reason}." for name, reason in reasons.items()]


def _seconds(time_s: float, group: Sequence[Outcome]) -> str:
    if math.isfinite(time_s):
        return f"{time_s:#.3g}"
    limit_s = group[0].run.time_limit_s
    return f"> {limit_s:g}" if any(one.stop_reason in ("time_limit", "killed") for one in group) else "never"


def ratio_text(outcomes: Sequence[Outcome], gaps: Sequence[float]) -> str:
    """Return how many times longer than `exact` the others took: the median over instances, and the least.

    A run that did not get there counts with the time it was given, so that the true ratio is at least what is shown.
    """
    head = "| solver | " + " | ".join(f"{gap:g}: median | least" for gap in gaps) + " |"
    rule = "|---|" + "--:|" * (2 * len(gaps))
    groups = by_solver(outcomes)
    own = {one.run.instance: one for one in groups[REFERENCE]}
    rows = []
    for name, group in groups.items():
        if name == REFERENCE:
            continue
        cells = [CONTENDERS[name].about]
        for gap in gaps:
            ratios = [_ratio(one, own[one.run.instance], gap) for one in group]
            cells += [f"{median(ratios):.0f}", f"{min(ratios):.1f}"]
        rows.append(cells)
    return markdown_table(head, rule, rows)


def _ratio(other: Outcome, own: Outcome, gap: float) -> float:
    spent_s = other.time_to_gap_s(gap)
    return (spent_s if math.isfinite(spent_s) else other.run.time_limit_s) / own.time_to_gap_s(gap)


def instance_table(outcomes: Sequence[Outcome], gap: float) -> str:
    """Return the time to `gap` of every run; where it was not proved, the gap that was."""
    groups = by_solver(outcomes)
    head = "| instance | " + " | ".join(f"`{name}`" for name in groups) + " |"
    rule = "|---|" + "--:|" * len(groups)
    names = dict.fromkeys(one.run.instance for one in outcomes)
    cell = {(one.run.instance, one.run.solver): _cell(one, gap) for one in outcomes}
    return markdown_table(head, rule, ([f"`{name}`", *(cell[name, solver] for solver in groups)] for name in names))


def _cell(outcome: Outcome, gap: float) -> str:
    time_s = outcome.time_to_gap_s(gap)
    if math.isfinite(time_s):
        return f"{time_s:.2f} s"
    if outcome.gap is None:
        return outcome.stop_reason
    return f"gap {outcome.gap:.1e} after {outcome.time_s:.0f} s"


def scale_table(outcomes: Sequence[Outcome]) -> str:
    """Return gap, time and memory of `exact` on large instances."""
    head = "| instance | gap asked | time limit (s) | gap proved | time (s) | round latency (s) | peak memory (MiB) |"
    rule = "|---|--:|--:|--:|--:|--:|--:|"
    rows = [
        [
            f"`{one.run.instance}`",
            f"{one.run.rel_gap:g}",
            f"{one.run.time_limit_s:g}",
            one.stop_reason if one.gap is None else f"{one.gap:.1e}",
            f"{one.time_s:.1f}",
            "" if one.latency_s is None else f"{one.latency_s:.4f}",
            f"{one.peak_mib:.0f}",
        ]
        for one in outcomes
    ]
    return markdown_table(head, rule, rows)


def csv_table(outcomes: Sequence[Outcome], gaps: Sequence[float]) -> str:
    """Return one row per run; times to gaps that were never proved are empty."""
    times = [f"time_to_{gap:g}_s" for gap in gaps]
    measured = ["status", "stop_reason", "latency_s", "bound_s", "gap", "time_s", "peak_mib"]
    rows = []
    for one in outcomes:
        row = {name: getattr(one, name) for name in measured}
        reached = [one.time_to_gap_s(gap) for gap in gaps]
        row |= {name: time_s if math.isfinite(time_s) else None for name, time_s in zip(times, reached, strict=True)}
        rows.append({"instance": one.run.instance, "solver": one.run.solver} | row)
    return format_csv(["instance", "solver", *measured, *times], rows)
