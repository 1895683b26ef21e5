"""What growing heterogeneity does, judged between alike clients and the highest level, on the same draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsl_opt.plugins.study import Finding, Row, Verdict
from epsl_opt.report.intervals import judge_at_least
from epsl_opt.studies.heterogeneity.curves import Setting, levels_of, of_framework, of_solver
from epsl_opt.studies.heterogeneity.levels import ALIKE, AS_PUBLISHED, KINDS, TITLES
from epsl_opt.studies.shared.channels import CHANNELS
from epsl_opt.studies.shared.framework_rounds import BROADCAST, OTHERS
from epsl_opt.studies.shared.rows import (
    difference,
    geometric_mean,
    mean,
    over_settings,
    percent,
    quotients,
    ratio,
    select,
)

START: Setting = (KINDS[0], ALIKE)


def findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield latency, straggler, gap and lead, for both kinds of channel."""
    for fading in CHANNELS:
        yield from (_longer(rows, fading, kind) for kind in KINDS)
        yield _waiting(rows, fading)
        yield _straggler(rows, fading)
        yield from (_gap_grows(rows, fading, kind) for kind in KINDS)
        yield from (_lead_stays(rows, fading, framework) for framework in OTHERS)
        yield _never_longer(rows, fading)


def _top(rows: Sequence[Row], kind: str) -> Setting:
    return kind, levels_of(rows, kind)[-1]


def _longer(rows: Sequence[Row], fading: str, kind: str) -> Finding:
    top, start = (of_solver(rows, "latency_s", at, fading, "exact") for at in (_top(rows, kind), START))
    found = ratio(top, start)
    return Finding(
        f"the optimal round is longer where {TITLES[kind]} most ({CHANNELS[fading]})",
        judge_at_least(found, 1.0),
        f"{found.text()} times that of alike clients, {found.n} draws",
    )


def _waiting(rows: Sequence[Row], fading: str) -> Finding:
    settings = [(kind, level) for kind in KINDS for level in levels_of(rows, kind) if level > ALIKE]
    shares = {
        solver: over_settings([of_solver(rows, "waiting_share", at, fading, solver) for at in settings])
        for solver in ("baseline-c", "bcd", "exact")
    }
    less = difference(shares["baseline-c"], shares["bcd"])
    said = "; ".join(f"{solver} {percent(mean(share))}" for solver, share in shares.items())
    return Finding(
        f"power control in the joint optimisation (bcd) spares clients waiting for the straggler ({CHANNELS[fading]})",
        judge_at_least(less, 0.0),
        f"waiting share of the round, all levels above 0 together: {said}; baseline-c less bcd {percent(less)}, "
        f"{less.n} draws",
    )


def _straggler(rows: Sequence[Row], fading: str) -> Finding:
    places = {"alike": START} | {kind: _top(rows, kind) for kind in KINDS} | {"the paper's draw": (AS_PUBLISHED, ALIKE)}
    said = [
        f"{name} {percent(mean(of_solver(rows, 'straggler_share', at, fading, 'exact')), 2)}"
        for name, at in places.items()
    ]
    return Finding(
        f"what the straggler costs in the optimal round ({CHANNELS[fading]})",
        Verdict.OBSERVED,
        "straggler share of the round: " + "; ".join(said),
    )


def _gap_grows(rows: Sequence[Row], fading: str, kind: str) -> Finding:
    top, start = (of_solver(rows, "gap", at, fading, "bcd") for at in (_top(rows, kind), START))
    more = difference(top, start)
    return Finding(
        f"the paper's algorithm (bcd) is farther from the optimum where {TITLES[kind]} most ({CHANNELS[fading]})",
        judge_at_least(more, 0.0),
        f"mean gap {percent(mean(start))} among alike clients, {percent(mean(top))} at the top; difference "
        f"{percent(more)}, {more.n} draws",
    )


def _lead_stays(rows: Sequence[Row], fading: str, framework: str) -> Finding:
    leads = {kind: _lead(rows, _top(rows, kind), fading, framework) for kind in KINDS}
    start = _lead(rows, START, fading, framework)
    change = ratio(leads["both"], start)
    said = "; ".join(f"{TITLES[kind]} {geometric_mean(lead).text()}" for kind, lead in leads.items())
    return Finding(
        f"EPSL's lead over {framework} is no smaller where channels and processors differ most ({CHANNELS[fading]})",
        judge_at_least(change, 1.0),
        f"{framework}'s round over EPSL's: alike {geometric_mean(start).text()}; at the top {said}; both over alike "
        f"{change.text()}, {change.n} draws",
    )


def _never_longer(rows: Sequence[Row], fading: str) -> Finding:
    """Compare PSL's verified latency with what is proved of EPSL's: that needs no statistics."""
    here = select(rows, solver="frameworks", fading=fading)
    mine, bounds, theirs = (
        {(row["kind"], row["level"], row["seed"]): float(row[column] or 0) for row in select(here, framework=name)}
        for name, column in (("EPSL", "latency_s"), ("EPSL", "bound_s"), ("PSL", "latency_s"))
    )
    common = mine.keys() & theirs.keys()
    shorter = sum(mine[key] <= theirs[key] for key in common)
    proved = sum(bounds[key] > theirs[key] for key in common)
    verdict = Verdict.FAILS if proved else Verdict.HOLDS if shorter == len(common) else Verdict.OPEN
    return Finding(
        f"EPSL's round is never longer than PSL's ({CHANNELS[fading]})",
        verdict,
        f"no longer on {shorter} of {len(common)} instances; on {proved} it is proved that no schedule of EPSL is as "
        "quick as one of PSL" + (f", as {BROADCAST}" if proved else ""),
    )


def _lead(rows: Sequence[Row], setting: Setting, fading: str, framework: str) -> dict[int, float]:
    mine, theirs = (of_framework(rows, setting, fading, name) for name in ("EPSL", framework))
    return quotients(theirs, mine)
