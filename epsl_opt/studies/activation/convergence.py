"""What convergence says: the accuracy lost to aggregation, by activation and by what is averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from scipy import stats

from epsl_opt.plugins.study import Cell, Finding, Picture, Row, Table, Verdict
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.activation.gradients import CUT, MEAN, RELU, SERVER
from epsl_opt.studies.shared.figures import draw_dots, grid, legend_below, picture
from epsl_opt.studies.shared.judging import judge_more
from epsl_opt.studies.shared.rows import columns, distinct, number, select
from epsl_opt.studies.shared.seeds import BySeed, by_seed, difference, mean
from epsl_opt.studies.shared.trained import summary, trained

EXACT = "PSL"


def accuracies(rows: Sequence[Row], network: str, activation: str, method: str) -> BySeed:
    """Return the accuracy at the end by seed."""
    return by_seed(rows, "final_accuracy", network=network, activation=activation, method=method)


def loss(rows: Sequence[Row], network: str, activation: str, method: str) -> dict[int, float]:
    """Return what a method's accuracy is less than PSL's, by seed."""
    mine, exact = (accuracies(rows, network, activation, label) for label in (method, EXACT))
    return {seed: exact[seed] - mine[seed] for seed in sorted(mine.keys() & exact.keys())}


def activation_findings(rows: Sequence[Row], network: str, activations: Sequence[str]) -> Iterator[Finding]:
    """Judge whether aggregation costs less with activations that are nearly linear."""
    losses = {name: loss(rows, network, name, "EPSL(1)") for name in activations}
    for name, lost in losses.items():
        found = difference(losses[RELU], lost)
        if name != RELU and found.n:
            claim = f"EPSL(1) loses less accuracy against PSL with {name} than with ReLU ({network})"
            yield Finding(claim, judge_more(found), f"{found.points()} less, {found.n} seeds")
    for place in (SERVER, CUT):
        at: dict[str, Cell] = {"network": network, "way": MEAN, "place": place, "stage": "after training"}
        yield from _correlation(select(rows, **at), losses, f"({place})", f"({network})")


def _correlation(gradients: Sequence[Row], losses: Mapping[str, BySeed], place: str, network: str) -> Iterator[Finding]:
    """Say whether activations with better gradients lose less."""
    cosines = {name: by_seed(gradients, "cosine", activation=name) for name in losses}
    pairs = [
        (sum(cosines[name].values()) / len(cosines[name]), sum(lost.values()) / len(lost))
        for name, lost in losses.items()
        if cosines[name] and lost
    ]
    if len(pairs) > 3 and len(set(pairs)) > 1:
        rank = stats.spearmanr([cosine for cosine, _ in pairs], [lost for _, lost in pairs])
        claim = f"how the cosine {place} and the accuracy lost go together over the activations {network}"
        told = f"Spearman's rank correlation {rank.statistic:.2f}, p = {rank.pvalue:.2g}, {len(pairs)} activations"
        yield Finding(claim, Verdict.OBSERVED, told)


BETTER = (
    ("the paper's mean learns better than plain subsampling", "{mean}", "subsampling({phi:g})"),
    ("the paper's mean learns better than PSL on batches of {batch}", "{mean}", "PSL, b = {batch}"),
    ("representative aggregation learns better than the mean", "{mean}, representative", "{mean}"),
    ("pairing by label improves the mean", "{mean}, label", "{mean}"),
    (
        "pairing by label improves representative aggregation",
        "{mean}, representative, label",
        "{mean}, representative",
    ),
    ("layer-wise linearisation learns better than mean-activation", "{mean}, layer-wise", "{mean}"),
    (
        "per-client linearisation, at PSL's cost, learns better than mean-activation",
        "{mean}, per-client",
        "{mean}",
    ),
)
"""Claim, the method that is said to be better, and the other."""


def averaging_findings(rows: Sequence[Row], network: str, phi: float, batch: int) -> Iterator[Finding]:
    """Judge what should be averaged at a ratio phi; PSL has the same cost with batches of `batch`."""
    for told in BETTER:
        claim, *methods = (text.format(mean=f"EPSL({phi:g})", phi=phi, batch=batch) for text in told)
        found = difference(*(accuracies(rows, network, RELU, method) for method in methods))
        if found.n:
            claim = f"{claim} ({network}, phi = {phi:g})"
            yield Finding(claim, judge_more(found), f"{found.points()}, {found.n} seeds")


COLUMNS = (
    *("network", "activation", "method", "seeds", "accuracy", "accuracy_low", "accuracy_high"),
    *("lost", "lost_low", "lost_high", "rounds_to_target", "reached", "learning_rate", "round_latency_s", "diverged"),
)


def convergence_table(rows: Sequence[Row]) -> Table:
    """Return what every method came to with every activation."""
    caption = "Accuracy at the end, and what it is less than PSL's on the same seeds."
    keys = dict.fromkeys((str(row["network"]), str(row["activation"]), str(row["method"])) for row in rows)
    return Table("convergence", caption, COLUMNS, [_row(rows, *key) for key in keys])


def _row(rows: Sequence[Row], network: str, activation: str, method: str) -> Row:
    key = {"network": network, "activation": activation, "method": method}
    lost = columns(mean(loss(rows, network, activation, method)), "lost")
    cells = {**key, **summary(trained(rows, **key)), **lost}
    return {column: cells[column] for column in COLUMNS}


class Compared(NamedTuple):
    """What stands beside an axis: a ratio phi, a word for what is shown, and how it was trained."""

    phi: float
    what: str
    activation: str
    method: str


def loss_picture(rows: Sequence[Row], name: str, compared: Sequence[Compared], caption: str) -> Picture:
    """Draw the accuracy lost against PSL."""
    networks, names = distinct(rows, "network"), list(dict.fromkeys(each.what for each in compared))
    shown = [
        {
            "network": network,
            "phi": f"phi = {phi:g}",
            "what": what,
            **columns(mean(lost), "lost", ""),
            "seeds": len(lost),
        }
        for network in networks
        for phi, what, activation, method in compared
        if (lost := loss(rows, network, activation, method))
        for ends in [columns(mean(lost), "lost", "")]
    ]
    with styled():
        figure, (panels,) = grid(1, len(networks), 1.0 + 4.2 * len(networks), 1.0 + 0.36 * len(names), share_y="all")
        for axes, network in zip(panels, networks, strict=True):
            draw_dots(axes, names, select(shown, network=network), "lost", "what", "phi", 100)
            axes.axvline(0, color="0.2", linewidth=0.8)
            axes.set(title=network, xlabel="accuracy lost against PSL, points")
        legend_below(figure, panels[0], 2)
    said = (f"{row['network']}, {row['what']}, {row['phi']}: {100 * number(row, 'lost'):.1f} points" for row in shown)
    return picture(name, caption, "Accuracy lost against PSL: " + "; ".join(said), figure, shown)
