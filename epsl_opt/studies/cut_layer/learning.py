"""Leakage and accuracy by cut layer, beside its latency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsl_opt.plugins.study import Cell, Finding, Picture, Row, Verdict
from epsl_opt.report.plots.style import styled
from epsl_opt.studies.shared.figures import NUMBERED, draw_rows, grid, legend_below, picture
from epsl_opt.studies.shared.judging import judge_more
from epsl_opt.studies.shared.rows import columns, distinct, number, select
from epsl_opt.studies.shared.seeds import by_seed, difference, mean, ratio
from epsl_opt.studies.shared.trained import summary, trained, values

LEAKAGE, INITIAL, ACCURACY, LATENCY = "leakage", "initial_leakage", "final_accuracy", "round_latency_s"


def learning_rows(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Return all numbers by setting, method and cut layer; latency is relative to the first cut layer's."""
    return [
        _row(of, cut, distinct(of, "cut_layer")[0])
        for setting in distinct(rows, "setting")
        for method in distinct(select(rows, setting=setting), "method")
        for of in [select(rows, setting=setting, method=method)]
        for cut in distinct(of, "cut_layer")
    ]


def _row(rows: Sequence[Row], cut: str, first: str) -> dict[str, Cell]:
    found, own = trained(rows, cut_layer=cut), summary(trained(rows, cut_layer=cut))
    latency = ratio(values(found, LATENCY), values(trained(rows, cut_layer=first), LATENCY))
    return {
        **{key: rows[0][key] for key in ("setting", "method")},
        "cut_layer": cut,
        **{key: own[key] for key in ("seeds", "accuracy", "accuracy_low", "accuracy_high")},
        **columns(mean(values(found, LEAKAGE)), "leakage"),
        **columns(mean(values(found, INITIAL)), "initial_leakage", "initial"),
        **columns(latency, "latency_ratio", "latency"),
        "learning_rate": own["learning_rate"],
    }


def learning_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge what a later cut does to leakage and accuracy."""
    table = learning_rows(rows)
    for setting, method in dict.fromkeys((str(row["setting"]), str(row["method"])) for row in table):
        here = select(table, setting=setting, method=method)
        if len(here) < 2:
            continue
        ends = [str(here[n]["cut_layer"]) for n in (0, -1)]
        less = {
            column: difference(*(by_seed(rows, column, setting=setting, method=method, cut_layer=cut) for cut in ends))
            for column in (ACCURACY, INITIAL, LEAKAGE)
        }
        told = " less ".join(ends)
        better = less[ACCURACY]
        claim = f"a network that is cut early learns better ({setting}, {method})"
        yield Finding(claim, judge_more(better), f"{told}: {better.points()}, {better.n} seeds")
        if method == "PSL":
            for column, stage in ((INITIAL, "at initialisation"), (LEAKAGE, "after training")):
                leak = less[column]
                claim = f"a later cut gives less away ({setting}, {stage})"
                evidence = f"distance correlation, {told}: {leak.text()}, {leak.n} seeds"
                yield Finding(claim, judge_more(leak), evidence)
            yield _weighed(setting, here)


def _weighed(setting: str, rows: Sequence[Row]) -> Finding:
    """Say what the quickest cut layer costs."""
    chosen = {
        "quickest": min(rows, key=lambda row: number(row, "latency_ratio")),
        "most accurate": max(rows, key=lambda row: number(row, "accuracy")),
        "least leakage": min(rows, key=lambda row: number(row, "leakage")),
    }
    texts = [
        f"{what} {row['cut_layer']}: accuracy {100 * number(row, 'accuracy'):.1f} %, leakage {row['leakage']:.2f}, "
        f"latency {row['latency_ratio']:.2g} of {rows[0]['cut_layer']}'s"
        for what, row in chosen.items()
    ]
    return Finding(f"what has to be weighed ({setting}, PSL)", Verdict.OBSERVED, "; ".join(texts))


def learning_picture(rows: Sequence[Row], seeds: int) -> Picture:
    """Draw latency, leakage and accuracy over the cut layers, a row of panels per setting."""
    settings = distinct(rows, "setting")
    with styled():
        figure, lines = grid(len(settings), 3, 9.0, 0.7 + 2.5 * len(settings))
        for panels, setting in zip(lines, settings, strict=True):
            methods = distinct(select(rows, setting=setting), "method")
            for look, method in zip(NUMBERED, methods, strict=False):
                line = select(rows, setting=setting, method=method)
                draw_rows(panels[0], line, None, "latency_ratio", look, method, ends="latency")
                draw_rows(panels[1], line, None, "leakage", look, method)
                draw_rows(panels[2], line, None, "accuracy", look, method, 100)
            first = select(rows, setting=setting, method=methods[0])
            look = NUMBERED[len(methods)]
            draw_rows(panels[1], first, None, "initial_leakage", look, "at initialisation", ends="initial")
            for axes in panels:
                axes.set_xticks(range(len(first)), distinct(first, "cut_layer"))
                axes.grid()
            panels[0].set(title=f"{setting}: latency", ylabel="latency / that of the first cut")
            panels[0].set_ylim(bottom=0)
            panels[1].set(title="leakage", ylabel="distance correlation", ylim=(0, 1))
            panels[2].set(title="accuracy at the end", ylabel="test accuracy, %")
            panels[2].set_ylim(top=100)
        legend_below(figure, figure.axes[1], 4, handle=4)
    caption = (
        "What a cut layer costs and what it gives away: round latency, bias-corrected squared distance correlation "
        f"between samples and smashed data, accuracy. Means over {seeds} seeds and 95 % confidence intervals."
    )
    alt = "Lines over cut layers. " + "; ".join(
        f"{row['setting']}, {row['method']}, {row['cut_layer']}: latency {row['latency_ratio']:.2f}, leakage "
        f"{row['leakage']:.2f}, accuracy {100 * number(row, 'accuracy'):.0f} %"
        for row in rows
    )
    return picture("trade-off", caption, alt, figure, rows)
