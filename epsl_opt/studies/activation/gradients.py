"""What the gradients say: how near to the exact one, by activation, by what is averaged, by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure

from epsl_opt.plugins.study import Finding, Picture, Row, Table
from epsl_opt.report.intervals import Interval, judge_at_least, mean_interval, paired_difference
from epsl_opt.report.plots.style import new_figure, styled
from epsl_opt.studies.shared.interval_lines import draw_groups
from epsl_opt.studies.shared.judging import judge_more

MEAN = "mean"
SERVER, CUT = "server-side model", "gradient at the cut"
NEARLY_EXACT = 0.99
RELU, LINEAR = "relu", "identity"


def values(rows: Sequence[Row], column: str, **wanted: object) -> dict[int, float]:
    """Return a column of the rows that are as wanted, by seed; without those that have nothing there."""
    found = [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]
    return {int(row["seed"] or 0): float(value) for row in found if (value := row.get(column)) is not None}


def difference(mine: dict[int, float], theirs: dict[int, float]) -> Interval | None:
    """Return the mean difference over the seeds that both have."""
    seeds = sorted(mine.keys() & theirs.keys())
    return paired_difference([mine[s] for s in seeds], [theirs[s] for s in seeds]) if seeds else None


def gradient_findings(rows: Sequence[Row], network: str) -> Iterator[Finding]:
    """Judge what the paper says of linear activations, and what averaging does to a gradient."""
    for stage in _stages(rows):
        at = {"network": network, "stage": stage, "place": SERVER}
        linear = values(rows, "cosine", **at, way=MEAN, activation=LINEAR)
        if linear:
            found = mean_interval([*linear.values()])
            claim = f"in a linear network the aggregated gradient is exact, cosine 0.99 or more ({network}, {stage})"
            yield Finding(claim, judge_at_least(found, NEARLY_EXACT), f"cosine {found.text()}, {found.n} seeds")
        relu = values(rows, "cosine", **at, way=MEAN, activation=RELU)
        for activation in (LINEAR, "tanh"):
            other = values(rows, "cosine", **at, way=MEAN, activation=activation)
            claim = f"{activation} gives a better aggregated gradient than ReLU ({network}, {stage})"
            yield from _higher(claim, other, relu)
        yield from _ways(rows, at, f"{network}, {stage}")


def _ways(rows: Sequence[Row], at: dict[str, str], where: str) -> Iterator[Finding]:
    relu = {way: values(rows, "cosine", **at, way=way, activation=RELU) for way in _all(rows, "way")}
    whole = {way: values(rows, "cosine_of_means", **at, way=way, activation=RELU) for way in _all(rows, "way")}
    for claim, cosines, mine, other in (
        ("linearising at every client's own activations gives a better gradient", relu, "mean, per-client", MEAN),
        ("one batch's mean gradient is better than that of subsampling", relu, MEAN, "subsampling"),
        ("over many batches, the mean gradient is better than that of subsampling", whole, MEAN, "subsampling"),
    ):
        yield from _higher(f"{claim} ({where}, ReLU)", cosines[mine], cosines[other])


def _higher(claim: str, mine: dict[int, float], theirs: dict[int, float]) -> Iterator[Finding]:
    found = difference(mine, theirs)
    if found is not None:
        both = f"cosines {mean_interval([*mine.values()]).mean:.3f} and {mean_interval([*theirs.values()]).mean:.3f}"
        yield Finding(claim, judge_more(found), f"{both}, difference {found.text()}, {found.n} seeds")


def _all(rows: Sequence[Row], column: str) -> list[str]:
    return [str(value) for value in dict.fromkeys(row.get(column) for row in rows) if value is not None]


def _stages(rows: Sequence[Row]) -> list[str]:
    return _all(rows, "stage")


COLUMNS = ("network", "activation", "stage", "way", "place")
MEASURES = ("cosine", "cosine_of_means", "norm_ratio", "relative_error")


def gradient_table(rows: Sequence[Row]) -> Table:
    """Return the errors everywhere, means over the seeds."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.get(column) for column in COLUMNS), []).append(row)
    found = [dict(zip(COLUMNS, key, strict=True)) | _means(group) for key, group in groups.items()]
    caption = (
        "Gradients with all positions aggregated (phi = 1) against PSL's of the same batches and weights: cosine, "
        "cosine of the sums over the batches, ratio of norms, norm of the difference over that of the exact one. "
        "Means over seeds."
    )
    return Table("gradients", caption, (*COLUMNS, "seeds", *MEASURES, "cosine_low", "cosine_high"), found)


def _means(rows: Sequence[Row]) -> dict[str, Any]:
    given = {name: [float(value) for row in rows if (value := row[name]) is not None] for name in MEASURES}
    means = {name: sum(numbers) / len(numbers) if numbers else None for name, numbers in given.items()}
    cosine = mean_interval(given["cosine"])
    return {"seeds": len(rows), **means, "cosine_low": cosine.low, "cosine_high": cosine.high}


def activation_picture(rows: Sequence[Row], networks: Sequence[str], seeds: int) -> Picture:
    """Draw the cosine by activation, at the server and at the cut, before and after training."""
    activations, stages = _all(rows, "activation"), _stages(rows)
    drawn: list[dict[str, Any]] = []
    with styled():
        figure, panels = _panels(networks)
        for line, network in zip(panels, networks, strict=True):
            for axes, place in zip(line, (SERVER, CUT), strict=True):
                groups = {stage: _cosines(rows, network, place, stage, activations) for stage in stages}
                draw_groups(axes, activations, groups)
                axes.set_title(f"{network}: {place}")
                drawn += [
                    {"network": network, "place": place, "stage": stage, "activation": name, **_numbers(value)}
                    for stage, found in groups.items()
                    for name, value in found.items()
                ]
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    caption = (
        "The paper's mean aggregation, phi = 1, against the exact gradient of the same batches, by activation "
        f"function: means over {seeds} seeds and 95 % confidence intervals."
    )
    alt = "Dots of cosines. " + _alt(drawn, ("network", "place", "activation", "stage"))
    columns = ("network", "place", "stage", "activation", "cosine", "low", "high", "seeds")
    return Picture("cosine-activation", caption, alt, figure, Table("cosine-activation", caption, columns, drawn))


def _panels(networks: Sequence[str]) -> tuple[Figure, Any]:
    """Return a figure of cosines with a row of two panels per network, and the panels; to be called within `styled`."""
    figure = new_figure(8.0, 0.6 + 2.6 * len(networks))
    panels = figure.subplots(len(networks), 2, sharex=True, sharey=True, squeeze=False)
    for axes in panels[-1]:
        axes.set_xlabel("cosine to the exact gradient")
    return figure, panels


def ways_picture(rows: Sequence[Row], networks: Sequence[str], seeds: int) -> Picture:
    """Draw the cosine by what is averaged: of one batch, and of the sum of many."""
    ways = _all(rows, "way")
    drawn: list[dict[str, Any]] = []
    with styled():
        figure, panels = _panels(networks)
        for line, network in zip(panels, networks, strict=True):
            for axes, stage in zip(line, _stages(rows), strict=True):
                at = {"network": network, "place": SERVER, "stage": stage, "activation": RELU}
                groups = {
                    label: {
                        way: mean_interval([*found.values()])
                        for way in ways
                        if (found := values(rows, column, **at, way=way))
                    }
                    for label, column in (("one batch", "cosine"), ("sum of the batches", "cosine_of_means"))
                }
                draw_groups(axes, ways, groups)
                axes.set_title(f"{network}, {stage}")
                drawn += [
                    {"network": network, "stage": stage, "of": label, "way": way, **_numbers(value)}
                    for label, found in groups.items()
                    for way, value in found.items()
                ]
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    caption = (
        "The server-side model's gradient from m rows instead of C m, against the exact one (ReLU, phi = 1): of "
        f"single batches, and summed over many, where noise averages out and bias stays. Means over {seeds} seeds, "
        "95 % intervals."
    )
    alt = "Dots of cosines. " + _alt(drawn, ("network", "stage", "way", "of"))
    columns = ("network", "stage", "of", "way", "cosine", "low", "high", "seeds")
    return Picture("cosine-ways", caption, alt, figure, Table("cosine-ways", caption, columns, drawn))


def _cosines(
    rows: Sequence[Row], network: str, place: str, stage: str, activations: Sequence[str]
) -> dict[str, Interval]:
    at = {"network": network, "place": place, "stage": stage, "way": MEAN}
    found = {name: values(rows, "cosine", **at, activation=name) for name in activations}
    return {name: mean_interval([*cosines.values()]) for name, cosines in found.items() if cosines}


def _alt(drawn: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    return "; ".join(f"{', '.join(str(row[column]) for column in columns)}: {row['cosine']:.2f}" for row in drawn)


def _numbers(value: Interval) -> dict[str, Any]:
    return {"cosine": value.mean, "low": value.low, "high": value.high, "seeds": value.n}
