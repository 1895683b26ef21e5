"""Means over draws at every size, and the exponents of growth: what the figures show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from epsl_opt.core.results import relative_gap
from epsl_opt.plugins.study import Cell, Row
from epsl_opt.report.intervals import Interval, growth_exponent
from epsl_opt.studies.scale.sizes import CELLS, FLAT, SHARED, SOLVERS
from epsl_opt.studies.shared.framework_rounds import FRAMEWORKS, OTHERS
from epsl_opt.studies.shared.rows import NOTHING, BySeed, by_seed, columns, geometric_mean, mean, quotients, select

FIT_FROM = 10
"""Clients from which times and memory are fitted: before, start-up costs hide the growth."""

EXPONENT_COLUMNS = ("quantity", "name", "cell", "fading", "exponent", "exponent_low", "exponent_high", "fitted_runs")


def fadings_of(rows: Sequence[Row]) -> list[str]:
    """Return the kinds of channel that were run."""
    return sorted({str(row["fading"]) for row in rows})


def sizes_of(rows: Sequence[Row], **wanted: Cell) -> list[int]:
    """Return the numbers of clients of the rows with these values, ascending."""
    return sorted({int(row["clients"] or 0) for row in select(rows, **wanted)})


def measured(rows: Sequence[Row], column: str, clients: int, fading: str, solver: str) -> BySeed:
    """Return what was measured of a solver, by seed."""
    return by_seed(rows, column, what="solver", clients=clients, fading=fading, solver=solver)


def rounds(rows: Sequence[Row], cell: str, clients: int, framework: str) -> BySeed:
    """Return a framework's round latencies, by seed."""
    return by_seed(rows, "latency_s", what="frameworks", cell=cell, clients=clients, framework=framework)


def leads(rows: Sequence[Row], cell: str, clients: int, framework: str) -> BySeed:
    """Return a framework's round latency over EPSL's, by seed."""
    mine, theirs = (rounds(rows, cell, clients, name) for name in ("EPSL", framework))
    return quotients(theirs, mine)


def gaps(rows: Sequence[Row], clients: int, fading: str, solver: str) -> BySeed:
    """Return a solver's gaps to the best bound that any solver proved on the same instance, by seed."""
    bounds = [measured(rows, "bound_s", clients, fading, name) for name in SOLVERS]
    found = {}
    for seed, latency_s in measured(rows, "latency_s", clients, fading, solver).items():
        proved = [bound[seed] for bound in bounds if seed in bound]
        gap = relative_gap(latency_s, max(proved, default=None))
        if gap is not None:
            found[seed] = gap
    return found


def curve_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return all means in long form: quantity, name of solver or framework, cell, channel, clients."""
    quantities = [*_framework_quantities(rows), *_solver_quantities(rows)]
    return [where | columns(interval, "mean") | {"draws": interval.n} for where, interval in quantities if interval.n]


def exponent_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the exponent with which each quantity grows; empty where there are too few sizes."""
    found = [
        (_where("latency_s", framework, cell, FLAT), framework_exponent(rows, cell, framework))
        for cell in CELLS
        for framework in FRAMEWORKS
    ]
    found += [
        (_where(column, solver, SHARED, fading), solver_exponent(rows, column, fading, solver))
        for fading in fadings_of(rows)
        for solver in SOLVERS
        for column in ("time_s", "added_mib")
    ]
    return [where | columns(slope, "exponent") | {"fitted_runs": slope.n} for where, slope in found]


def solver_exponent(rows: Sequence[Row], column: str, fading: str, solver: str) -> Interval:
    """Return the exponent of a solver's time or memory; runs that a time limit ended are left out."""
    kept = [row for row in select(rows, what="solver", solver=solver) if row["stop_reason"] != "time_limit"]
    sizes = [clients for clients in sizes_of(kept) if clients >= FIT_FROM]
    return _exponent({clients: measured(kept, column, clients, fading, solver) for clients in sizes})


def framework_exponent(rows: Sequence[Row], cell: str, framework: str) -> Interval:
    """Return the exponent of a framework's round latency."""
    sizes = sizes_of(rows, what="frameworks")
    return _exponent({clients: rounds(rows, cell, clients, framework) for clients in sizes})


def _exponent(values: dict[int, BySeed]) -> Interval:
    pairs = [(clients, value) for clients, by_seed in values.items() for value in by_seed.values()]
    if len({clients for clients, _ in pairs}) < 3:
        return NOTHING
    return growth_exponent([clients for clients, _ in pairs], [value for _, value in pairs])


def _where(quantity: str, name: str, cell: str, fading: str) -> dict[str, Cell]:
    return {"quantity": quantity, "name": name, "cell": cell, "fading": fading}


def _framework_quantities(rows: Sequence[Row]) -> Iterator[tuple[dict[str, Cell], Interval]]:
    for cell, clients in product(CELLS, sizes_of(rows, what="frameworks")):
        for name in FRAMEWORKS:
            where = _where("latency_s", name, cell, FLAT) | {"clients": clients}
            yield where, geometric_mean(rounds(rows, cell, clients, name))
        for name in OTHERS:
            where = _where("lead", name, cell, FLAT) | {"clients": clients}
            yield where, geometric_mean(leads(rows, cell, clients, name))


def _solver_quantities(rows: Sequence[Row]) -> Iterator[tuple[dict[str, Cell], Interval]]:
    for fading, clients, solver in product(fadings_of(rows), sizes_of(rows, what="solver"), SOLVERS):
        for column in ("latency_s", "time_s", "peak_mib", "added_mib"):
            where = _where(column, solver, SHARED, fading) | {"clients": clients}
            yield where, geometric_mean(measured(rows, column, clients, fading, solver))
        yield _where("gap", solver, SHARED, fading) | {"clients": clients}, mean(gaps(rows, clients, fading, solver))
