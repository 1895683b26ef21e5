"""What convergence says: the accuracy lost to aggregation, by activation and by what is averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scipy import stats

from epsl_opt.plugins.study import Finding, Picture, Row, Table, Verdict
from epsl_opt.report.intervals import Interval, mean_interval
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.activation.gradients import CUT, MEAN, RELU, SERVER, difference, values
from epsl_opt.studies.shared.interval_lines import draw_groups
from epsl_opt.studies.shared.judging import judge_more, points

EXACT = "PSL"
TRAINED = "after training"


def accuracies(rows: Sequence[Row], network: str, activation: str, method: str) -> dict[int, float]:
    """Return the accuracy at the end by seed."""
    return values(rows, "final_accuracy", network=network, activation=activation, method=method)


def loss(rows: Sequence[Row], network: str, activation: str, method: str) -> dict[int, float]:
    """Return what a method's accuracy is less than PSL's, by seed."""
    mine, exact = (accuracies(rows, network, activation, label) for label in (method, EXACT))
    return {seed: exact[seed] - mine[seed] for seed in sorted(mine.keys() & exact.keys())}


def activation_findings(rows: Sequence[Row], network: str, activations: Sequence[str]) -> Iterator[Finding]:
    """Judge whether aggregation costs less with activations that are nearly linear."""
    relu = loss(rows, network, RELU, "EPSL(1)")
    for activation in activations:
        found = difference(relu, loss(rows, network, activation, "EPSL(1)"))
        if activation != RELU and found is not None:
            claim = f"EPSL(1) loses less accuracy against PSL with {activation} than with ReLU ({network})"
            yield Finding(claim, judge_more(found), f"{points(found)} less, {found.n} seeds")
    for place in (SERVER, CUT):
        yield from _correlation(rows, network, activations, place)


def _correlation(rows: Sequence[Row], network: str, activations: Sequence[str], place: str) -> Iterator[Finding]:
    """Say whether activations with better gradients lose less."""
    at = {"network": network, "way": MEAN, "place": place, "stage": TRAINED}
    pairs = [
        (sum(cosines.values()) / len(cosines), sum(lost.values()) / len(lost))
        for name in activations
        if (cosines := values(rows, "cosine", **at, activation=name)) and (lost := loss(rows, network, name, "EPSL(1)"))
    ]
    if len(pairs) > 3 and len(set(pairs)) > 1:
        rank = stats.spearmanr([cosine for cosine, _ in pairs], [lost for _, lost in pairs])
        claim = f"how the cosine ({place}) and the accuracy lost go together over the activations ({network})"
        told = f"Spearman's rank correlation {rank.statistic:.2f}, p = {rank.pvalue:.2g}, {len(pairs)} activations"
        yield Finding(claim, Verdict.OBSERVED, told)


def averaging_findings(rows: Sequence[Row], network: str, ratios: Sequence[tuple[float, int]]) -> Iterator[Finding]:
    """Judge what should be averaged; `ratios` are those of phi, each with the batch size of the same cost."""
    for phi, batch in ratios:
        mean, drawn = f"EPSL({phi:g})", f"EPSL({phi:g}), representative"
        for claim, mine, other in (
            ("the paper's mean learns better than plain subsampling", mean, f"subsampling({phi:g})"),
            (f"the paper's mean learns better than PSL on batches of {batch}", mean, f"PSL, b = {batch}"),
            ("representative aggregation learns better than the mean", drawn, mean),
            ("pairing by label improves the mean", f"{mean}, label", mean),
            (
                "pairing by label improves representative aggregation",
                f"{mean}, representative, label",
                f"{mean}, representative",
            ),
            ("layer-wise linearisation learns better than mean-activation", f"{mean}, layer-wise", mean),
            (
                "per-client linearisation, at PSL's cost, learns better than mean-activation",
                f"{mean}, per-client",
                mean,
            ),
        ):
            found = difference(*(accuracies(rows, network, RELU, label) for label in (mine, other)))
            if found is not None:
                told = f"{points(found)}, {found.n} seeds"
                yield Finding(f"{claim} ({network}, phi = {phi:g})", judge_more(found), told)


COLUMNS = (
    *("network", "activation", "method", "seeds", "accuracy", "accuracy_low", "accuracy_high"),
    *("lost", "lost_low", "lost_high", "rounds_to_target", "reached", "learning_rate", "round_latency_s", "diverged"),
)


def convergence_table(rows: Sequence[Row]) -> Table:
    """Return what every method came to with every activation."""
    keys = dict.fromkeys((str(row["network"]), str(row["activation"]), str(row["method"])) for row in rows)
    caption = "Accuracy at the end, and what it is less than PSL's on the same seeds."
    return Table("convergence", caption, COLUMNS, [_row(rows, *key) for key in keys])


def _row(rows: Sequence[Row], network: str, activation: str, method: str) -> dict[str, Any]:
    key = {"network": network, "activation": activation, "method": method}
    found = [row for row in rows if all(row[name] == value for name, value in key.items())]
    accuracy, lost = mean_interval([float(row["final_accuracy"] or 0) for row in found]), loss(rows, *key.values())
    behind = mean_interval([*lost.values()]) if lost else None
    rounds = [float(row["rounds_to_target"]) for row in found if row["rounds_to_target"] is not None]
    return {
        **key,
        "seeds": len(found),
        "accuracy": accuracy.mean,
        "accuracy_low": accuracy.low,
        "accuracy_high": accuracy.high,
        "lost": None if behind is None else behind.mean,
        "lost_low": None if behind is None else behind.low,
        "lost_high": None if behind is None else behind.high,
        "rounds_to_target": sum(rounds) / len(rounds) if rounds else None,
        "reached": len(rounds),
        "learning_rate": found[0]["lr"],
        "round_latency_s": sum(float(row["round_latency_s"] or 0) for row in found) / len(found),
        "diverged": sum(int(row["diverged"] or 0) for row in found),
    }


Compared = Mapping[str, tuple[str, Mapping[float, str]]]
"""What stands beside an axis -> activation, and phi -> method."""


def loss_picture(rows: Sequence[Row], name: str, compared: Compared, caption: str) -> Picture:
    """Draw the accuracy lost against PSL."""
    networks = list(dict.fromkeys(str(row["network"]) for row in rows))
    drawn: list[dict[str, Any]] = []
    with styled():
        figure = new_figure(1.0 + 4.2 * len(networks), 1.0 + 0.36 * len(compared))
        panels = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
        for axes, network in zip(panels, networks, strict=True):
            groups = {}
            for phi in sorted({phi for _, methods in compared.values() for phi in methods}):
                lost = {label: loss(rows, network, a, m[phi]) for label, (a, m) in compared.items() if phi in m}
                groups[f"phi = {phi:g}"] = {label: mean_interval([*v.values()]) for label, v in lost.items() if v}
            draw_groups(axes, list(compared), {label: found for label, found in groups.items() if found}, 100)
            axes.axvline(0, color="0.2", linewidth=0.8)
            axes.set_title(network)
            axes.set_xlabel("accuracy lost against PSL, points")
            drawn += [
                {
                    "network": network,
                    "phi": phi,
                    "what": label,
                    "lost": v.mean,
                    "low": v.low,
                    "high": v.high,
                    "seeds": v.n,
                }
                for phi, found in groups.items()
                for label, v in found.items()
            ]
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    alt = "Accuracy lost against PSL: " + "; ".join(
        f"{row['network']}, {row['what']}, {row['phi']}: {100 * row['lost']:.1f} points" for row in drawn
    )
    columns = ("network", "phi", "what", "lost", "low", "high", "seeds")
    return Picture(name, caption, alt, figure, Table(name, caption, columns, drawn))


def _ends(value: Interval) -> dict[str, Any]:
    return {"low": value.low, "high": value.high, "seeds": value.n}
