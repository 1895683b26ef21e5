"""What the gradients say: how near to the exact one, by activation, by what is averaged, by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from matplotlib.figure import Figure

from epsl_opt.plugins.study import Cell, Finding, Picture, Row, Table
from epsl_opt.report.intervals import judge_at_least
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.shared.figures import draw_dots, grid, legend_below, picture
from epsl_opt.studies.shared.judging import judge_more
from epsl_opt.studies.shared.rows import columns, distinct, number, select
from epsl_opt.studies.shared.seeds import BySeed, by_seed, difference, mean

MEAN = "mean"
SERVER, CUT = "server-side model", "gradient at the cut"
NEARLY_EXACT = 0.99
RELU, LINEAR = "relu", "identity"

BETTER = (
    ("linearising at every client's own activations gives a better gradient", "cosine", "mean, per-client", MEAN),
    ("one batch's mean gradient is better than that of subsampling", "cosine", MEAN, "subsampling"),
    ("over many batches, the mean gradient is better than that of subsampling", "cosine_of_means", MEAN, "subsampling"),
)
"""Claim, column, the way that is said to be better, and the other."""


def gradient_findings(rows: Sequence[Row], network: str) -> Iterator[Finding]:
    """Judge what the paper says of linear activations, and what averaging does to a gradient."""
    for stage in distinct(rows, "stage"):
        here = select(rows, network=network, stage=stage, place=SERVER)
        by_activation = {a: by_seed(here, "cosine", way=MEAN, activation=a) for a in distinct(here, "activation")}
        if linear := by_activation.get(LINEAR):
            found = mean(linear)
            claim = f"in a linear network the aggregated gradient is exact, cosine 0.99 or more ({network}, {stage})"
            yield Finding(claim, judge_at_least(found, NEARLY_EXACT), f"cosine {found.text()}, {found.n} seeds")
        for name in (LINEAR, "tanh"):
            claim = f"{name} gives a better aggregated gradient than ReLU ({network}, {stage})"
            yield from _higher(claim, by_activation.get(name, {}), by_activation.get(RELU, {}))
        for claim, column, better, other in BETTER:
            mine, theirs = (by_seed(here, column, way=way, activation=RELU) for way in (better, other))
            yield from _higher(f"{claim} ({network}, {stage}, ReLU)", mine, theirs)


def _higher(claim: str, mine: BySeed, theirs: BySeed) -> Iterator[Finding]:
    found = difference(mine, theirs)
    if found.n:
        both = f"cosines {mean(mine).mean:.3f} and {mean(theirs).mean:.3f}"
        yield Finding(claim, judge_more(found), f"{both}, difference {found.text()}, {found.n} seeds")


KEYS = ("network", "activation", "stage", "way", "place")
MEASURES = ("cosine", "cosine_of_means", "norm_ratio", "relative_error")


def gradient_table(rows: Sequence[Row]) -> Table:
    """Return the errors everywhere, means over the seeds."""
    groups: dict[tuple[Cell, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(column) for column in KEYS), []).append(row)
    found = [dict(zip(KEYS, key, strict=True)) | _means(group) for key, group in groups.items()]
    caption = (
        "Gradients with all positions aggregated (phi = 1) against PSL's of the same batches and weights: cosine, "
        "cosine of the sums over the batches, ratio of norms, norm of the difference over that of the exact one. "
        "Means over seeds."
    )
    return Table.of("gradients", caption, found)


def _means(rows: Sequence[Row]) -> dict[str, Cell]:
    given = {name: [number(row, name) for row in rows if row[name] is not None] for name in MEASURES}
    means = {name: sum(numbers) / len(numbers) if numbers else None for name, numbers in given.items()}
    ends = columns(mean(by_seed(rows, "cosine")), "cosine")
    return {"seeds": len(rows), **means, **{end: ends[end] for end in ("cosine_low", "cosine_high")}}


def activation_picture(rows: Sequence[Row], seeds: int) -> Picture:
    """Draw the cosine by activation, at the server and at the cut, before and after training."""
    networks, stages, names = (distinct(rows, key) for key in ("network", "stage", "activation"))
    shown = [
        {"network": network, "place": place, "stage": stage, "activation": name, **_numbers(found)}
        for network, place, stage, name in product(networks, (SERVER, CUT), stages, names)
        if (found := by_seed(rows, "cosine", network=network, place=place, stage=stage, activation=name, way=MEAN))
    ]
    caption = (
        "The paper's mean aggregation, phi = 1, against the exact gradient of the same batches, by activation "
        f"function: means over {seeds} seeds and 95 % confidence intervals."
    )
    alt = _alt(shown, "network", "place", "activation", "stage")
    return picture("cosine-activation", caption, alt, _dots(shown, "place", ": ", "activation", "stage"), shown)


OF = {"one batch": "cosine", "sum of the batches": "cosine_of_means"}


def ways_picture(rows: Sequence[Row], seeds: int) -> Picture:
    """Draw the cosine by what is averaged: of one batch, and of the sum of many."""
    here = select(rows, place=SERVER, activation=RELU)
    networks, stages, ways = (distinct(here, key) for key in ("network", "stage", "way"))
    shown = [
        {"network": network, "stage": stage, "of": of, "way": way, **_numbers(found)}
        for network, stage, of, way in product(networks, stages, OF, ways)
        if (found := by_seed(here, OF[of], network=network, stage=stage, way=way))
    ]
    caption = (
        "The server-side model's gradient from m rows instead of C m, against the exact one (ReLU, phi = 1): of "
        f"single batches, and summed over many, where noise averages out and bias stays. Means over {seeds} seeds, "
        "95 % intervals."
    )
    alt = _alt(shown, "network", "stage", "way", "of")
    return picture("cosine-ways", caption, alt, _dots(shown, "stage", ", ", "way", "of"), shown)


def _numbers(cosines: BySeed) -> dict[str, Cell]:
    return {**columns(mean(cosines), "cosine", ""), "seeds": len(cosines)}


def _alt(rows: Sequence[Row], *keys: str) -> str:
    said = (f"{', '.join(str(row[key]) for key in keys)}: {row['cosine']:.2f}" for row in rows)
    return "Dots of cosines. " + "; ".join(said)


def _dots(rows: Sequence[Row], across: str, between: str, at: str, by: str) -> Figure:
    """Return a row of panels per network, one for each value of `across`."""
    networks, names = distinct(rows, "network"), distinct(rows, at)
    with styled():
        figure, lines = grid(len(networks), 2, 8.0, 0.6 + 2.6 * len(networks), share_x=True, share_y="all")
        for panels, network in zip(lines, networks, strict=True):
            for axes, value in zip(panels, distinct(rows, across), strict=False):
                draw_dots(axes, names, select(rows, **{"network": network, across: value}), "cosine", at, by)
                axes.set_title(f"{network}{between}{value}")
        for axes in lines[-1]:
            axes.set_xlabel("cosine to the exact gradient")
        legend_below(figure, lines[0][0], 2)
    return figure
