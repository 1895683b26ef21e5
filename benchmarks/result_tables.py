"""Tables of a campaign's judged runs, as Markdown; `results.py` puts them into the documentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import mean, median

from docs_tools.marked_text import markdown_table
from epsl_opt import SolverKind
from epsl_opt.campaigns.ranking import TIE_TOLERANCE, RunRow, best_latencies
from epsl_opt.core.outcome import StopReason

Figure = Callable[[RunRow], float | None]
NOTHING = "-"


def latency_s(row: RunRow) -> float | None:
    """Round latency."""
    return row.latency_s


def gap_percent(row: RunRow) -> float | None:
    """Gap to the best bound known, in per cent."""
    return None if row.best_bound_gap is None else 100 * row.best_bound_gap


def time_s(row: RunRow) -> float | None:
    """Time for build and solve of a run that ended with a schedule."""
    return None if row.latency_s is None else row.build_s + row.solve_s


def solvers_of(rows: Sequence[RunRow], *, baselines: bool = True) -> list[str]:
    """Return the solvers: exact ones first, baselines last."""
    kinds = [str(kind) for kind in SolverKind]
    found = {row.solver: row.kind for row in rows if baselines or row.kind != SolverKind.BASELINE}
    return sorted(found, key=lambda solver: (kinds.index(found[solver]), solver))


def gap_table(rows: Sequence[RunRow]) -> str:
    """Return the best latency and bound of each instance and every run's gap in per cent; the least are bold."""
    best, bound = best_latencies(rows), {row.instance_sha256: row.best_bound_s for row in rows}
    known = {sha256: [_number(best.get(sha256), 6), _number(bound[sha256], 6)] for sha256 in bound}
    return _matrix(rows, ("best latency (s)", "best bound (s)"), known, gap_percent, 3, mark_least=True)


def matrix_table(rows: Sequence[RunRow], figure: Figure, digits: int, *, mark_least: bool = False) -> str:
    """Return one figure of every run: a row an instance, a column a solver; the least ones of a row may be bold."""
    return _matrix(rows, (), {}, figure, digits, mark_least=mark_least)


def status_table(rows: Sequence[RunRow]) -> str:
    """Count how the runs of each solver ended."""
    ends = ("verified", "unsupported", "none", "rejected")
    head = "| solver | runs | " + " | ".join(ends) + " | proved optimal | stopped by the time limit |"
    lines = []
    for solver in solvers_of(rows):
        own = [row for row in rows if row.solver == solver]
        count = Counter("unsupported" if row.stop_reason is StopReason.UNSUPPORTED else row.status for row in own)
        reasons = Counter(row.stop_reason for row in own)
        proved = reasons["optimal_proved"] + reasons["gap_reached"]
        lines.append([f"`{solver}`", len(own), *(count[end] for end in ends), proved, reasons["time_limit"]])
    return markdown_table(head, "|---|" + "--:|" * (len(ends) + 3), lines)


def summary_table(rows: Sequence[RunRow]) -> str:
    """Return each solver's latencies and gaps over all instances."""
    head = (
        "| solver | verified | wins | median latency (s) | mean | least | largest | median gap (%) | largest gap (%) "
        "| median time (s) |"
    )
    lines = [_summary_row(rows, solver) for solver in solvers_of(rows)]
    return markdown_table(head, "|---|" + "--:|" * 9, [line for line in lines if line])


def beaten_table(rows: Sequence[RunRow]) -> str:
    """Count on how many instances each algorithm is better than each baseline, and than the baseline's median.

    The last column is about the median of all baselines on the same instance.
    """
    algorithms = solvers_of(rows, baselines=False)
    latency = {solver: _latencies(rows, solver) for solver in solvers_of(rows)}
    baselines = [solver for solver in latency if solver not in algorithms]
    head = "| solver | " + " | ".join([*baselines, "the baselines' median"]) + " |"
    lines = []
    for solver in filter(latency.get, algorithms):
        own = latency[solver]
        cells = [f"{_wins(own, latency[name])} / {_wins_median(own, latency[name])}" for name in baselines]
        lines.append([f"`{solver}`", *cells, _wins(own, _medians([latency[name] for name in baselines]))])
    return markdown_table(head, "|---|" + "--:|" * (len(baselines) + 1), lines)


def _summary_row(rows: Sequence[RunRow], solver: str) -> list[str]:
    """Return no cells for a solver without any schedule."""
    best, latency = best_latencies(rows), _latencies(rows, solver)
    if not latency:
        return []
    gaps = [gap for row in rows if row.solver == solver and (gap := gap_percent(row)) is not None]
    times = [seconds for row in rows if row.solver == solver and (seconds := time_s(row)) is not None]
    wins = sum(value <= best[sha256] * (1 + TIE_TOLERANCE) for sha256, value in latency.items())
    values = list(latency.values())
    figures = [_number(f(values), 4) for f in (median, mean, min, max)]
    far = [_number(f(gaps), 3) if gaps else NOTHING for f in (median, max)]
    return [f"`{solver}`", str(len(latency)), str(wins), *figures, *far, _number(median(times), 3)]


def _latencies(rows: Sequence[RunRow], solver: str) -> dict[str, float]:
    return {row.instance_sha256: row.latency_s for row in rows if row.solver == solver and row.latency_s is not None}


def _wins(own: dict[str, float], other: dict[str, float]) -> int:
    return sum(value < other[instance] for instance, value in own.items() if instance in other)


def _wins_median(own: dict[str, float], other: dict[str, float]) -> int:
    return sum(value < median(other.values()) for value in own.values()) if other else 0


def _matrix(
    rows: Sequence[RunRow],
    more_columns: Sequence[str],
    more_cells: Mapping[str, Sequence[str]],
    figure: Figure,
    digits: int,
    *,
    mark_least: bool,
) -> str:
    solvers = solvers_of(rows)
    head = "| instance | " + " | ".join([*more_columns, *solvers]) + " |"
    cells = {(row.instance_sha256, row.solver): figure(row) for row in rows}
    lines = []
    for sha256, name in {row.instance_sha256: row.instance for row in rows}.items():
        values = [cells.get((sha256, solver)) for solver in solvers]
        lines.append([f"`{name}`", *more_cells.get(sha256, ()), *_row_of_numbers(values, digits, mark_least)])
    return markdown_table(head, "|---|" + "--:|" * (len(solvers) + len(more_columns)), lines)


def _medians(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the median over solvers on each instance."""
    instances = {instance for run in runs for instance in run}
    return {instance: median(run[instance] for run in runs if instance in run) for instance in instances}


def _row_of_numbers(values: Sequence[float | None], digits: int, mark_least: bool) -> list[str]:
    least = min((value for value in values if value is not None), default=None)
    cells = []
    for value in values:
        bold = mark_least and value is not None and least is not None and value <= least + TIE_TOLERANCE
        cells.append(f"**{_number(value, digits)}**" if bold else _number(value, digits))
    return cells


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
