"""Runs side by side: who is best, how far each is from the best bound known, and who claimed something false."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from statistics import median

from epsl_opt.core.checker import Violation, check_bound
from epsl_opt.core.outcome import SolutionStatus, StopReason
from epsl_opt.core.results import relative_gap
from epsl_opt.files.documents import ScheduleDocument

TIE_TOLERANCE = 1e-9
"""Latencies that differ by less, relatively, are one win each."""


@dataclass(frozen=True)
class RunRow:
    """One run, judged beside the other runs of its instance; only a verified run has a latency.

    `gap` is against the run's own bound, `best_bound_gap` against `best_bound_s`, the best bound anybody proved.
    """

    instance: str
    solver: str
    kind: str
    status: SolutionStatus
    stop_reason: StopReason
    latency_s: float | None
    bound_s: float | None
    gap: float | None
    best_bound_s: float | None
    best_bound_gap: float | None
    cut_layer: str | None
    build_s: float
    solve_s: float
    overrun_s: float
    seed: int | None
    message: str
    instance_sha256: str
    framework: str | None = None
    average_every: int | None = None

    def to_dict(self) -> dict[str, str | float | None]:
        """Return the row, ready for JSON and CSV; what is not EPSL's is there only where it is told."""
        return {name: value for name, value in asdict(self).items() if value is not None or name in COLUMNS}


_OPTIONAL = ("framework", "average_every")

COLUMNS = tuple(field.name for field in fields(RunRow) if field.name not in _OPTIONAL)
"""Columns of runs for EPSL's round."""


def run_columns(rows: Iterable[RunRow]) -> tuple[str, ...]:
    """Return the columns that a table of these rows has."""
    there = {name for row in rows for name in row.to_dict()}
    return (*COLUMNS, *(name for name in _OPTIONAL if name in there))


@dataclass(frozen=True)
class SolverSummary:
    """One solver over all instances; medians are over the instances it has a verified schedule for."""

    solver: str
    runs: int
    verified: int
    wins: int
    median_latency_s: float | None
    median_best_bound_gap: float | None
    median_time_s: float


def rank(documents: Iterable[ScheduleDocument], known_bound_s: Mapping[str, float] | None = None) -> list[RunRow]:
    """Return one row per run: instances in the order they come, their runs by latency, the ones without last.

    Parameters
    ----------
    documents
        The runs.
    known_bound_s
        Further proved bounds, by the instance's sha256. One that a verified schedule refutes is not used.
    """
    by_instance: dict[str, list[ScheduleDocument]] = {}
    for document in documents:
        by_instance.setdefault(document.instance.sha256, []).append(document)
    known = known_bound_s or {}
    return [row for sha256, runs in by_instance.items() for row in _rank_instance(runs, known.get(sha256))]


def summarise(rows: Sequence[RunRow]) -> list[SolverSummary]:
    """Return one line per solver, most wins first, then by median gap."""
    solvers = dict.fromkeys(row.solver for row in rows)
    best = best_latencies(rows)
    found = [_summary(solver, [row for row in rows if row.solver == solver], best) for solver in solvers]
    return sorted(found, key=lambda line: (-line.wins, _or_inf(line.median_best_bound_gap), line.solver))


def best_latencies(rows: Iterable[RunRow]) -> dict[str, float]:
    """Return the best verified latency of each instance that has one, by sha256."""
    best: dict[str, float] = {}
    for row in rows:
        if row.latency_s is not None:
            best[row.instance_sha256] = min(row.latency_s, best.get(row.instance_sha256, math.inf))
    return best


def _rank_instance(runs: Sequence[ScheduleDocument], known_bound_s: float | None) -> list[RunRow]:
    best_latency = min((run.latency_s for run in runs if run.latency_s is not None), default=None)
    false = {id(run): _false_claim(run, best_latency) for run in runs}
    bounds = [run.bound_s for run in runs if run.bound_s is not None and false[id(run)] is None]
    if known_bound_s is not None and not (best_latency is not None and check_bound(known_bound_s, best_latency)):
        bounds.append(known_bound_s)
    best_bound = max(bounds, default=None)
    rows = [_row(run, best_bound, false[id(run)]) for run in runs]
    return sorted(rows, key=lambda row: (_or_inf(row.latency_s), row.status, row.solver))


def _false_claim(run: ScheduleDocument, best_latency_s: float | None) -> str | None:
    """Return what somebody else's verified schedule refutes in this run."""
    if best_latency_s is None:
        return None
    if run.stop_reason is StopReason.INFEASIBLE_PROVED:
        return str(Violation("infeasibility claimed is true", "another solver has a schedule", 1, "schedule", 0))
    violations = check_bound(run.bound_s, best_latency_s) if run.bound_s is not None else []
    return f"{violations[0]}, by another solver's schedule" if violations else None


def _row(run: ScheduleDocument, best_bound_s: float | None, false_claim: str | None) -> RunRow:
    provenance, true = run.provenance, false_claim is None
    latency_s = run.latency_s if true else None
    best = None if best_bound_s is None or latency_s is None else min(best_bound_s, latency_s)
    return RunRow(
        instance=run.instance.name,
        solver=run.solver,
        kind=str(provenance.get("solver_kind", "")),
        status=run.status if true else SolutionStatus.REJECTED,
        stop_reason=run.stop_reason,
        latency_s=latency_s,
        bound_s=run.bound_s if true else None,
        gap=run.gap if true else None,
        best_bound_s=best_bound_s,
        best_bound_gap=relative_gap(latency_s, best),
        cut_layer=run.cut_layer.name if true and run.cut_layer is not None else None,
        build_s=float(provenance.get("build_s", 0.0)),
        solve_s=float(provenance.get("solve_s", 0.0)),
        overrun_s=float(provenance.get("overrun_s", 0.0)),
        seed=provenance.get("seed"),
        message=false_claim or str(provenance.get("message", "")),
        instance_sha256=run.instance.sha256,
        framework=run.framework,
        average_every=run.average_every,
    )


def _summary(solver: str, rows: Sequence[RunRow], best: Mapping[str, float]) -> SolverSummary:
    scored = [(row, row.latency_s) for row in rows if row.latency_s is not None]
    gaps = [row.best_bound_gap for row, _ in scored if row.best_bound_gap is not None]
    return SolverSummary(
        solver=solver,
        runs=len(rows),
        verified=len(scored),
        wins=sum(latency <= best[row.instance_sha256] * (1 + TIE_TOLERANCE) for row, latency in scored),
        median_latency_s=median(latency for _, latency in scored) if scored else None,
        median_best_bound_gap=median(gaps) if gaps else None,
        median_time_s=median(row.build_s + row.solve_s for row in rows),
    )


def _or_inf(value: float | None) -> float:
    return math.inf if value is None else value
