"""What the runs say about growth: of the round, EPSL's lead, the solvers' work and their distance to the optimum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsl_opt.plugins.study import Finding, Row, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least
from epsl_opt.studies.scale.curves import (
    FIT_FROM,
    fadings_of,
    framework_exponent,
    gaps,
    leads,
    measured,
    rounds,
    sizes_of,
    solver_exponent,
)
from epsl_opt.studies.scale.sizes import CELLS, SOLVERS
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.framework_rounds import BROADCAST, OTHERS
from epsl_opt.studies.shared.nearness import PERCENT, excess, judge_near
from epsl_opt.studies.shared.rows import geometric_mean, mean, percent, ratio

NOISE = 0.002
"""Lengths of rounds are compared up to this: local-search is not exact."""


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
    slope = framework_exponent(rows, cell, "EPSL")
    sizes = sizes_of(rows, what="frameworks", cell=cell)
    said = "; ".join(
        f"{clients} clients {geometric_mean(rounds(rows, cell, clients, 'EPSL')).text(3, ' s')}"
        for clients in (*sizes[:1], *sizes[1:][-1:])
    )
    return Finding(
        f"how EPSL's round grows with the clients in a {cell} cell",
        Verdict.OBSERVED,
        f"exponent {slope.text(2)}; {said}",
    )


def _lead_grows(rows: Sequence[Row], cell: str, framework: str) -> Finding:
    sizes = sizes_of(rows, what="frameworks", cell=cell)
    claim = f"EPSL's lead over {framework} grows with the clients in a {cell} cell"
    if len(sizes) < 2:
        return Finding(claim, Verdict.OPEN, "fewer than two sizes were run")
    few, many = (leads(rows, cell, clients, framework) for clients in (sizes[0], sizes[-1]))
    change = ratio(many, few)
    return Finding(
        claim,
        judge_at_least(change, 1.0),
        f"{framework}'s round over EPSL's: {sizes[0]} clients {geometric_mean(few).text()}, {sizes[-1]} clients "
        f"{geometric_mean(many).text()}; the latter over the former {change.text()}, {change.n} draws",
    )


def _never_longer(rows: Sequence[Row], cell: str) -> Finding:
    sizes = sizes_of(rows, what="frameworks", cell=cell)
    found = [lead for clients in sizes for lead in leads(rows, cell, clients, "PSL").values()]
    longer = sum(lead < 1 - NOISE for lead in found)
    least = f"; least lead {min(found):.4g}" if found else ""
    return Finding(
        f"EPSL's round is never longer than PSL's in a {cell} cell",
        Verdict.FAILS if longer else Verdict.HOLDS if found else Verdict.OPEN,
        f"longer by more than {100 * NOISE:g} % on {longer} of {len(found)} instances{least}"
        + (f"; {BROADCAST}" if longer else ""),
    )


def _work(rows: Sequence[Row], fading: str, column: str, name: str, unit: str) -> Finding:
    return Finding(
        f"how the solvers' {name} grows with the clients ({CHANNELS[fading]})",
        Verdict.OBSERVED,
        f"exponents from {FIT_FROM} clients on: "
        + "; ".join(_work_of(rows, fading, column, solver, unit) for solver in SOLVERS),
    )


def _work_of(rows: Sequence[Row], fading: str, column: str, solver: str, unit: str) -> str:
    sizes = sizes_of(rows, what="solver", fading=fading, solver=solver)
    slope = solver_exponent(rows, column, fading, solver)
    last = geometric_mean(measured(rows, column, sizes[-1], fading, solver)) if sizes else None
    largest = "not run" if last is None else f"{sizes[-1]} clients {last.mean:.3g}{unit}"
    return f"{solver} {slope.text(2) if slope.n else 'not fitted'} ({largest})"


def _near(rows: Sequence[Row], fading: str, solver: str) -> Finding:
    sizes = [
        clients
        for clients in sizes_of(rows, what="solver", fading=fading, solver=solver)
        if gaps(rows, clients, fading, solver)
    ]
    most = sizes[-1] if sizes else 0
    gap, sure = _distances(rows, most, fading, solver)
    return Finding(
        f"{solver} is within {PERCENT} of the optimum with {most} clients ({CHANNELS[fading]})",
        judge_near(gap, sure),
        f"mean gap {percent(gap)}, of which better schedules account for {percent(sure)}, {gap.n} draws; with "
        f"{sizes[0] if sizes else 0} clients {percent(_distances(rows, sizes[0] if sizes else 0, fading, solver)[0])}",
    )


def _distances(rows: Sequence[Row], clients: int, fading: str, solver: str) -> tuple[Interval, Interval]:
    """Return the mean gap to the bound, and the mean fraction by which better schedules are known to be shorter."""
    latencies = {name: measured(rows, "latency_s", clients, fading, name) for name in SOLVERS}
    return mean(gaps(rows, clients, fading, solver)), mean(excess(latencies[solver], list(latencies.values())))
