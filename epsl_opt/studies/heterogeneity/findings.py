"""What growing heterogeneity does, judged between alike clients and the highest level, on the same draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from epsl_opt.plugins.study import Cell, Finding, Row, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least
from epsl_opt.studies.heterogeneity.levels import ALIKE, AS_PUBLISHED, KINDS, TITLES
from epsl_opt.studies.shared.framework_rounds import BROADCAST, FRAMEWORKS, OTHERS
from epsl_opt.studies.shared.rows import columns, number, select
from epsl_opt.studies.shared.scenario import CHANNELS, OnChannel
from epsl_opt.studies.shared.seeds import (
    BySeed,
    by_seed,
    difference,
    geometric_mean,
    mean,
    over_settings,
    quotients,
    ratio,
)
from epsl_opt.studies.shared.solver_runs import SOLVERS

Setting = tuple[str, float]
START: Setting = (KINDS[0], ALIKE)


class Runs(OnChannel):
    """The runs on one kind of channel."""

    def levels(self, kind: str) -> list[float]:
        """Return the levels of a kind that were run on any channel, ascending; all kinds begin with the same."""
        found = {number(row, "level") for row in self.rows if row["kind"] == kind}
        return sorted(found | {ALIKE}) if kind != AS_PUBLISHED else sorted(found)

    def top(self, kind: str) -> Setting:
        """Return the highest level of a kind."""
        return kind, self.levels(kind)[-1]

    def at(self, setting: Setting, column: str, who: str) -> BySeed:
        """Return the values of a solver, or of a framework under schedules made for it, by seed."""
        kind, level = setting
        place: dict[str, Cell] = {"kind": KINDS[0] if kind in KINDS and level == ALIKE else kind, "level": level}
        ran = {"solver": "frameworks", "framework": who} if who in FRAMEWORKS else {"solver": who}
        return by_seed(self.rows, column, **place, fading=self.fading, **ran)

    def lead(self, setting: Setting, framework: str) -> BySeed:
        """Return a framework's round over EPSL's."""
        return quotients(self.at(setting, "latency_s", framework), self.at(setting, "latency_s", "EPSL"))

    def means(self, setting: Setting) -> Iterator[tuple[str, str, Interval]]:
        """Yield solver or framework, quantity, and its mean."""
        for solver in SOLVERS:
            yield solver, "latency_s", geometric_mean(self.at(setting, "latency_s", solver))
            for share in ("gap", "straggler_share", "waiting_share"):
                yield solver, share, mean(self.at(setting, share, solver))
        rounds = {framework: self.at(setting, "latency_s", framework) for framework in FRAMEWORKS}
        yield from ((framework, "latency_s", geometric_mean(found)) for framework, found in rounds.items())
        yield from ((framework, "lead", ratio(rounds[framework], rounds["EPSL"])) for framework in OTHERS)
        for spread in ("gain_spread_db", "clock_ratio"):
            yield "clients", spread, mean(self.at(setting, spread, SOLVERS[0]))


def curve_rows(rows: Sequence[Row]) -> list[dict[str, Cell]]:
    """Return all means in long form: kind, level, fading, name of solver or framework, quantity."""
    channels = [Runs(rows, fading) for fading in CHANNELS]
    return [
        {
            **{"kind": kind, "level": level, "fading": runs.fading, "name": name, "quantity": quantity},
            **columns(found, "mean"),
            "draws": found.n,
        }
        for kind in (*KINDS, AS_PUBLISHED)
        for level in channels[0].levels(kind)
        for runs in channels
        for name, quantity, found in runs.means((kind, level))
    ]


LEVEL_COLUMNS = {
    "gain_spread_db": ("clients", "gain_spread_db"),
    "clock_ratio": ("clients", "clock_ratio"),
    "optimum_s": ("exact", "latency_s"),
    "straggler_share": ("exact", "straggler_share"),
    "waiting_share": ("exact", "waiting_share"),
    "bcd_gap": ("bcd", "gap"),
    "greedy_gap": ("greedy", "gap"),
    "psl_lead": ("PSL", "lead"),
    "sfl_lead": ("SFL", "lead"),
    "sl_lead": ("SL", "lead"),
}
"""Column of the table of levels -> name and quantity among the curves."""


def level_rows(curves: Sequence[Row]) -> list[Row]:
    """Return one row per kind, level and channel with the means that tell most."""
    found: dict[tuple[Cell, ...], dict[str, Cell]] = {}
    for row in curves:
        where = {key: row[key] for key in ("kind", "level", "fading")}
        line = found.setdefault(tuple(where.values()), where | dict.fromkeys(LEVEL_COLUMNS) | {"draws": 0})
        for column, place in LEVEL_COLUMNS.items():
            if place == (row["name"], row["quantity"]):
                line |= {column: row["mean"], "draws": row["draws"]}
    return list(found.values())


def findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield latency, straggler, gap and lead, for both kinds of channel."""
    for runs in (Runs(rows, fading) for fading in CHANNELS):
        yield from (_longer(runs, kind) for kind in KINDS)
        yield _waiting(runs)
        yield _straggler(runs)
        yield from (_gap_grows(runs, kind) for kind in KINDS)
        yield from (_lead_stays(runs, framework) for framework in OTHERS)
        yield _never_longer(runs)


def _longer(runs: Runs, kind: str) -> Finding:
    found = ratio(*(runs.at(setting, "latency_s", "exact") for setting in (runs.top(kind), START)))
    return Finding(
        f"the optimal round is longer where {TITLES[kind]} most ({runs.channel})",
        judge_at_least(found, 1.0),
        f"{found.text()} times that of alike clients, {found.n} draws",
    )


def _waiting(runs: Runs) -> Finding:
    settings = [(kind, level) for kind in KINDS for level in runs.levels(kind) if level > ALIKE]
    shares = {
        solver: over_settings([runs.at(setting, "waiting_share", solver) for setting in settings])
        for solver in ("baseline-c", "bcd", "exact")
    }
    less = difference(shares["baseline-c"], shares["bcd"])
    said = "; ".join(f"{solver} {mean(share).percent()}" for solver, share in shares.items())
    return Finding(
        f"power control in the joint optimisation (bcd) spares clients waiting for the straggler ({runs.channel})",
        judge_at_least(less, 0.0),
        f"waiting share of the round, all levels above 0 together: {said}; baseline-c less bcd {less.percent()}, "
        f"{less.n} draws",
    )


def _straggler(runs: Runs) -> Finding:
    places = {"alike": START} | {kind: runs.top(kind) for kind in KINDS} | {"the paper's draw": (AS_PUBLISHED, ALIKE)}
    shares = {name: mean(runs.at(setting, "straggler_share", "exact")) for name, setting in places.items()}
    return Finding(
        f"what the straggler costs in the optimal round ({runs.channel})",
        Verdict.OBSERVED,
        "straggler share of the round: " + "; ".join(f"{name} {share.percent(2)}" for name, share in shares.items()),
    )


def _gap_grows(runs: Runs, kind: str) -> Finding:
    top, start = (runs.at(setting, "gap", "bcd") for setting in (runs.top(kind), START))
    more = difference(top, start)
    return Finding(
        f"the paper's algorithm (bcd) is farther from the optimum where {TITLES[kind]} most ({runs.channel})",
        judge_at_least(more, 0.0),
        f"mean gap {mean(start).percent()} among alike clients, {mean(top).percent()} at the top; difference "
        f"{more.percent()}, {more.n} draws",
    )


def _lead_stays(runs: Runs, framework: str) -> Finding:
    start, *tops = (runs.lead(setting, framework) for setting in (START, *map(runs.top, KINDS)))
    change = ratio(tops[-1], start)
    said = "; ".join(f"{TITLES[kind]} {geometric_mean(top).text()}" for kind, top in zip(KINDS, tops, strict=True))
    return Finding(
        f"EPSL's lead over {framework} is no smaller where channels and processors differ most ({runs.channel})",
        judge_at_least(change, 1.0),
        f"{framework}'s round over EPSL's: alike {geometric_mean(start).text()}; at the top {said}; both over alike "
        f"{change.text()}, {change.n} draws",
    )


def _never_longer(runs: Runs) -> Finding:
    """Compare PSL's verified latency with what is proved of EPSL's: that needs no statistics."""
    here = select(runs.rows, solver="frameworks", fading=runs.fading)
    mine, bounds, theirs = (
        {(row["kind"], row["level"], row["seed"]): number(row, column) for row in select(here, framework=name)}
        for name, column in (("EPSL", "latency_s"), ("EPSL", "bound_s"), ("PSL", "latency_s"))
    )
    common = mine.keys() & theirs.keys()
    shorter = sum(mine[key] <= theirs[key] for key in common)
    proved = sum(bounds[key] > theirs[key] for key in common)
    return Finding(
        f"EPSL's round is never longer than PSL's ({runs.channel})",
        Verdict.FAILS if proved else Verdict.HOLDS if shorter == len(common) else Verdict.OPEN,
        f"no longer on {shorter} of {len(common)} instances; on {proved} it is proved that no schedule of EPSL is as "
        "quick as one of PSL" + (f", as {BROADCAST}" if proved else ""),
    )
