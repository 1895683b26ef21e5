"""What the runs say about growth: of the round, EPSL's lead, the solvers' work and their distance to the optimum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from epsl_opt.core.results import relative_gap
from epsl_opt.plugins.study import Cell, Finding, Row, Verdict
from epsl_opt.report.intervals import Interval, growth_exponent, judge_at_least
from epsl_opt.studies.scale.sizes import CELLS, FLAT, SHARED, SOLVERS
from epsl_opt.studies.shared.framework_rounds import BROADCAST, FRAMEWORKS, OTHERS
from epsl_opt.studies.shared.judging import PERCENT, excess, judge_near
from epsl_opt.studies.shared.rows import NOTHING, columns, distinct, ends, select, whole
from epsl_opt.studies.shared.scenario import CHANNELS
from epsl_opt.studies.shared.seeds import BySeed, by_seed, geometric_mean, mean, quotients, ratio

FIT_FROM = 10
"""Clients from which times and memory are fitted: before, start-up costs hide the growth."""

NOISE = 0.002
"""Lengths of rounds are compared up to this: local-search is not exact."""

MEASURED = ("latency_s", "time_s", "peak_mib", "added_mib")
BySize = Mapping[int, BySeed]
"""Clients -> seed -> value."""


def fadings_of(rows: Sequence[Row]) -> list[str]:
    """Return the kinds of channel that were run."""
    return sorted(distinct(rows, "fading"))


def _by_size(rows: Sequence[Row], column: str, **wanted: Cell) -> BySize:
    """Return a column of the rows with these values, for each number of clients that was run, ascending."""
    sizes = sorted({whole(row, "clients") for row in select(rows, **wanted)})
    return {clients: by_seed(rows, column, clients=clients, **wanted) for clients in sizes}


def measured(rows: Sequence[Row], column: str, fading: str, solver: str) -> BySize:
    """Return what was measured of a solver."""
    return _by_size(rows, column, what="solver", fading=fading, solver=solver)


def rounds(rows: Sequence[Row], cell: str, framework: str) -> BySize:
    """Return a framework's round latencies."""
    return _by_size(rows, "latency_s", what="frameworks", cell=cell, framework=framework)


def leads(rows: Sequence[Row], cell: str, framework: str) -> BySize:
    """Return a framework's round latency over EPSL's."""
    mine, theirs = (rounds(rows, cell, name) for name in ("EPSL", framework))
    return {clients: quotients(theirs[clients], mine[clients]) for clients in theirs}


def gaps(rows: Sequence[Row], fading: str, solver: str) -> BySize:
    """Return a solver's gaps to the best bound that any solver proved on the same instance."""
    bounds = [measured(rows, "bound_s", fading, name) for name in SOLVERS]
    found: dict[int, BySeed] = {}
    for clients, latencies_s in measured(rows, "latency_s", fading, solver).items():
        here = [bound[clients] for bound in bounds if clients in bound]
        best = {seed: max((of[seed] for of in here if seed in of), default=None) for seed in latencies_s}
        known = {seed: relative_gap(latencies_s[seed], best[seed]) for seed in latencies_s}
        found[clients] = {seed: gap for seed, gap in known.items() if gap is not None}
    return found


def curve_rows(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Return all means in long form: quantity, name of solver or framework, cell, channel, clients."""
    found: list[dict[str, Cell]] = []
    for cell in CELLS:
        of_cell = [("latency_s", name, rounds(rows, cell, name)) for name in FRAMEWORKS]
        found += _means([*of_cell, *(("lead", name, leads(rows, cell, name)) for name in OTHERS)], cell, FLAT)
    for fading in fadings_of(rows):
        of_solvers: list[tuple[str, str, BySize]] = []
        for solver in SOLVERS:
            of_solvers += [(column, solver, measured(rows, column, fading, solver)) for column in MEASURED]
            of_solvers.append(("gap", solver, gaps(rows, fading, solver)))
        found += _means(of_solvers, SHARED, fading)
    return found


def _means(quantities: Sequence[tuple[str, str, BySize]], cell: str, fading: str) -> list[dict[str, Cell]]:
    """Return a row per size, quantity and name, where there are values."""
    found = [
        _where(quantity, name, cell, fading)
        | {"clients": clients}
        | columns(mean(values) if quantity == "gap" else geometric_mean(values), "mean")
        | {"draws": len(values)}
        for quantity, name, by_size in quantities
        for clients, values in by_size.items()
        if values
    ]
    return sorted(found, key=lambda row: whole(row, "clients"))


def _where(quantity: str, name: str, cell: str, fading: str) -> dict[str, Cell]:
    return {"quantity": quantity, "name": name, "cell": cell, "fading": fading}


def exponent_rows(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Return the exponent with which each quantity grows; empty where there are too few sizes."""
    found = [
        (_where("latency_s", framework, cell, FLAT), growth(rounds(rows, cell, framework)))
        for cell in CELLS
        for framework in FRAMEWORKS
    ]
    found += [
        (_where(column, solver, SHARED, fading), solver_growth(rows, column, fading, solver))
        for fading in fadings_of(rows)
        for solver in SOLVERS
        for column in ("time_s", "added_mib")
    ]
    return [where | columns(slope, "exponent") | {"fitted_runs": slope.n} for where, slope in found]


def growth(by_size: BySize) -> Interval:
    """Return the exponent of growth; that of nothing if there are fewer than three sizes."""
    pairs = [(clients, value) for clients, values in by_size.items() for value in values.values()]
    if len({clients for clients, _ in pairs}) < 3:
        return NOTHING
    return growth_exponent([clients for clients, _ in pairs], [value for _, value in pairs])


def solver_growth(rows: Sequence[Row], column: str, fading: str, solver: str) -> Interval:
    """Return the exponent of a solver's time or memory; runs that a time limit ended are left out."""
    kept = [row for row in select(rows, what="solver", solver=solver) if row["stop_reason"] != "time_limit"]
    by_size = measured(kept, column, fading, solver)
    return growth({clients: values for clients, values in by_size.items() if clients >= FIT_FROM})


def findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield what can be said of the frameworks, then of the solvers on each kind of channel that was run."""
    for cell in CELLS:
        yield _round_growth(rows, cell)
        yield from (_lead_grows(rows, cell, framework) for framework in OTHERS)
        yield _never_longer(rows, cell)
    for fading in fadings_of(rows):
        yield _work(rows, fading, "time_s", "time", " s")
        yield _work(rows, fading, "added_mib", "own memory", " MiB")
        yield from (_near(rows, fading, solver) for solver in SOLVERS)


def _round_growth(rows: Sequence[Row], cell: str) -> Finding:
    found = rounds(rows, cell, "EPSL")
    said = "; ".join(f"{clients} clients {geometric_mean(found[clients]).text(3, ' s')}" for clients in ends([*found]))
    claim = f"how EPSL's round grows with the clients in a {cell} cell"
    return Finding(claim, Verdict.OBSERVED, f"exponent {growth(found).text(2)}; {said}")


def _lead_grows(rows: Sequence[Row], cell: str, framework: str) -> Finding:
    found = leads(rows, cell, framework)
    claim = f"EPSL's lead over {framework} grows with the clients in a {cell} cell"
    if len(found) < 2:
        return Finding(claim, Verdict.OPEN, "fewer than two sizes were run")
    few, many = ends([*found])
    change = ratio(found[many], found[few])
    return Finding(
        claim,
        judge_at_least(change, 1.0),
        f"{framework}'s round over EPSL's: {few} clients {geometric_mean(found[few]).text()}, {many} clients "
        f"{geometric_mean(found[many]).text()}; the latter over the former {change.text()}, {change.n} draws",
    )


def _never_longer(rows: Sequence[Row], cell: str) -> Finding:
    found = [lead for values in leads(rows, cell, "PSL").values() for lead in values.values()]
    longer = sum(lead < 1 - NOISE for lead in found)
    least = f"; least lead {min(found):.4g}" if found else ""
    return Finding(
        f"EPSL's round is never longer than PSL's in a {cell} cell",
        Verdict.FAILS if longer else Verdict.HOLDS if found else Verdict.OPEN,
        f"longer by more than {100 * NOISE:g} % on {longer} of {len(found)} instances{least}"
        + (f"; {BROADCAST}" if longer else ""),
    )


def _work(rows: Sequence[Row], fading: str, column: str, name: str, unit: str) -> Finding:
    told = []
    for solver in SOLVERS:
        slope, found = solver_growth(rows, column, fading, solver), measured(rows, column, fading, solver)
        last = [f"{clients} clients {geometric_mean(found[clients]).mean:.3g}{unit}" for clients in [*found][-1:]]
        told.append(f"{solver} {slope.text(2) if slope.n else 'not fitted'} ({''.join(last) or 'not run'})")
    return Finding(
        f"how the solvers' {name} grows with the clients ({CHANNELS[fading]})",
        Verdict.OBSERVED,
        f"exponents from {FIT_FROM} clients on: " + "; ".join(told),
    )


def _near(rows: Sequence[Row], fading: str, solver: str) -> Finding:
    """Judge by the largest size: the mean gap, and by how much better schedules are known to be shorter."""
    found = {clients: values for clients, values in gaps(rows, fading, solver).items() if values}
    least, most = (min(found), max(found)) if found else (0, 0)
    of = {name: measured(rows, "latency_s", fading, name).get(most, {}) for name in SOLVERS}
    gap, sure = mean(found.get(most, {})), mean(excess(of[solver], list(of.values())))
    return Finding(
        f"{solver} is within {PERCENT} of the optimum with {most} clients ({CHANNELS[fading]})",
        judge_near(gap, sure),
        f"mean gap {gap.percent()}, of which better schedules account for {sure.percent()}, {gap.n} draws; with "
        f"{least} clients {mean(found.get(least, {})).percent()}",
    )
