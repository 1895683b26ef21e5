"""The tables and the picture of `training_results.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.figure import Figure

from benchmarks.training_methods import Method, Setting
from docs_tools.marked_text import markdown_table
from epsl_opt.campaigns.trainings import TrainedCase
from epsl_opt.files.training_records import first_reaching
from epsl_opt.report.plots.style import MARK, new_figure, styled
from epsl_opt.report.plots.training import accuracy_curves

REFERENCE = "PSL"


@dataclass(frozen=True)
class Outcome:
    """A setting: accuracy by method and learning rate on the split for tuning, the rates chosen, the trainings."""

    setting: Setting
    tuned: Mapping[str, Mapping[float, float]]
    best: Mapping[str, float]
    trained: Mapping[Method, Sequence[TrainedCase]]


def method_table(outcome: Outcome) -> str:
    """Return one line a method."""
    target = f"{100 * outcome.setting.target_accuracy:g} %"
    head = (
        "| method | learning rate | cut layer | round latency (s) | Mbit a round | final accuracy (%) | macro-F1 |"
        f" rounds to {target} | simulated seconds to {target} |"
    )
    rows = (_cells(outcome, method, cases) for method, cases in outcome.trained.items())
    return markdown_table(head, "|---|--:|---|--:|--:|--:|--:|--:|--:|", rows)


def _cells(outcome: Outcome, method: Method, cases: Sequence[TrainedCase]) -> tuple[str, ...]:
    row = cases[0].row
    mbit = (row.uplink_bits + row.downlink_bits) / max(row.rounds, 1) / 1e6
    return (
        method.label,
        f"{outcome.best[method.label]:g}",
        row.cut_layer if method.splits else "-",
        f"{row.round_latency_s:.4g}",
        f"{mbit:.4g}",
        _range([100 * accuracy for accuracy in final_accuracies(cases)]),
        _range([case.row.final_macro_f1 or 0.0 for case in cases], 3),
        *_to_target(cases, outcome.setting.target_accuracy),
    )


def final_accuracies(cases: Sequence[TrainedCase]) -> list[float]:
    """Return each seed's accuracy after the last round, 0 for a training that diverged."""
    return [0.0 if case.row.message else case.row.final_accuracy or 0.0 for case in cases]


def rounds_to_target(cases: Sequence[TrainedCase], target: float) -> list[int | None]:
    """Return each seed's first evaluated round at the target, None if there is none."""
    reached = [first_reaching(case.records, target) for case in cases]
    return [None if record is None else record.round for record in reached]


def _to_target(cases: Sequence[TrainedCase], target: float) -> tuple[str, str]:
    rounds = rounds_to_target(cases, target)
    found = [number for number in rounds if number is not None]
    if len(found) < len(rounds):
        return (f"{len(found)} of {len(rounds)} seeds", "-")
    return f"{fmean(found):.0f}", f"{fmean(found) * cases[0].row.round_latency_s:.4g}"


def compare_table(outcome: Outcome) -> str:
    """Return each method's difference from PSL on the same seeds."""
    reference = next(cases for method, cases in outcome.trained.items() if method.label == REFERENCE)
    base, target = final_accuracies(reference), outcome.setting.target_accuracy
    base_time = _seconds(reference, target)
    rows = []
    for method, cases in outcome.trained.items():
        if method.label == REFERENCE:
            continue
        points = [100 * (mine - theirs) for mine, theirs in zip(final_accuracies(cases), base, strict=True)]
        pairs = zip(_seconds(cases, target), base_time, strict=True)
        ratios = [theirs / mine for mine, theirs in pairs if mine is not None and theirs is not None]
        speed = f"{fmean(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]" if len(ratios) == len(cases) else "-"
        rows.append((method.label, _signed(points), speed))
    head = f"| method | final accuracy less {REFERENCE}'s (points) | {REFERENCE}'s time to the target / this method's |"
    return markdown_table(head, "|---|--:|--:|", rows)


def _seconds(cases: Sequence[TrainedCase], target: float) -> list[float | None]:
    rounds = rounds_to_target(cases, target)
    pairs = zip(rounds, cases, strict=True)
    return [None if number is None else number * case.row.round_latency_s for number, case in pairs]


def tuning_table(outcome: Outcome) -> str:
    """Return the accuracies by which learning rates were chosen."""
    rates = sorted(next(iter(outcome.tuned.values())))
    rows = []
    for label, found in outcome.tuned.items():
        cells = [f"{100 * found[lr]:.1f}" for lr in rates]
        rows.append(
            (label, *(f"**{c}**" if lr == outcome.best[label] else c for c, lr in zip(cells, rates, strict=True)))
        )
    head = "| accuracy (%) | " + " | ".join(f"{lr:g}" for lr in rates) + " |"
    return markdown_table(head, "|---|" + "--:|" * len(rates), rows)


def picture(outcome: Outcome) -> Figure:
    """Draw accuracy over rounds and over simulated time, means over the seeds."""
    with styled():
        figure = new_figure(9.0, 4.4)
        panels = figure.subplots(1, 2, sharey=True)
        for number, (method, cases) in enumerate(outcome.trained.items()):
            for curve in accuracy_curves(cases):
                style = {"color": f"C{number % 10}", "linewidth": 1.4, "linestyle": "-" if number < 6 else "--"}
                rounds = curve.time_s / cases[0].row.round_latency_s
                panels[0].plot(rounds, 100 * curve.mean, label=method.label, **style)
                panels[1].plot(curve.time_s, 100 * curve.mean, **style)
        panels[0].set_xlabel("rounds")
        panels[0].set_ylabel("test accuracy, %")
        panels[1].set_xlabel("simulated time, s")
        panels[1].set_xscale("log")
        panels[1].xaxis.set_major_formatter("{x:g}")
        for axes in panels:
            axes.axhline(100 * outcome.setting.target_accuracy, color=MARK, linewidth=1.0, linestyle=(0, (4, 2)))
            axes.grid()
        where = "own best cut layer" if outcome.setting.cut_layer is None else f"cut after {outcome.setting.cut_layer}"
        figure.suptitle(f"{outcome.setting.name.partition('-')[0]}: {outcome.setting.network}, {where}")
        figure.legend(loc="outside lower center", ncols=5)
    return figure


def _range(values: Sequence[float], digits: int = 1) -> str:
    return f"{fmean(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def _signed(values: Sequence[float]) -> str:
    return f"{fmean(values):+.2f} [{min(values):+.2f}, {max(values):+.2f}]"
