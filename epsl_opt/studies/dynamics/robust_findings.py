"""What deciding once for many rounds is good for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from epsl_opt.plugins.study import Finding, Row
from epsl_opt.report.intervals import Interval, judge_at_least, judge_at_most
from epsl_opt.studies.dynamics.cells import CONTROLLED
from epsl_opt.studies.dynamics.robust import POWERS
from epsl_opt.studies.shared.rows import columns, select
from epsl_opt.studies.shared.seeds import BySeed, by_seed, mean, ratio

TOLERATED = 1.05
METHODS = ("one round", "nominal", "cautious", "expected", "p90")
ANEW = "every round"
QUANTITIES = {"mean_s": "mean", "p90_s": "90th percentile"}


def latencies_s(rows: Sequence[Row], quantity: str, method: str, power: str = CONTROLLED) -> BySeed:
    """Return the mean or the 90th percentile over fresh rounds, by seed."""
    return by_seed(rows, quantity, part="robust", method=method, power=power)


def robustness(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield mean and 90th percentile of each method over those of an optimal schedule in every round."""
    for power, method, (quantity, name) in product(POWERS, METHODS, QUANTITIES.items()):
        if mine := latencies_s(rows, quantity, method, power):
            found = ratio(mine, latencies_s(rows, quantity, ANEW))
            where = {"power": power, "method": method, "quantity": name}
            yield {**where, **columns(found, "ratio"), "latency_s": mean(mine).mean, "draws": found.n}


def robust_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge robust schedules against the nominal one, and against deciding anew."""
    if not select(rows, part="robust"):
        return
    for power in POWERS:
        for method, quantity, aim in (
            ("expected", "mean_s", "expected latency"),
            ("p90", "p90_s", QUANTITIES["p90_s"]),
        ):
            found = _ratio(rows, "nominal", method, quantity, power)
            claim = f"deciding for the {aim} beats deciding for the mean gains (powers {power})"
            evidence = f"{QUANTITIES[quantity]} of the latency, nominal over {method}, {found.text(4)}, {found.n} cells"
            yield Finding(claim, judge_at_least(found, 1.0), evidence)
    found = _ratio(rows, "one round", "nominal")
    yield Finding(
        "one schedule for all rounds had better be made for the mean gains than for a single round's",
        judge_at_least(found, 1.0),
        f"mean latency, made for one round over made for the mean gains, {found.text(4)}",
    )
    found = _ratio(rows, "expected", ANEW)
    yield Finding(
        f"a robust schedule is nearly as good as a new one in every round: within {round(100 * (TOLERATED - 1))} %",
        judge_at_most(found, TOLERATED),
        f"mean latency, decided once over decided anew, {found.text(4)}; solving not counted",
    )


def _ratio(rows: Sequence[Row], mine: str, theirs: str, quantity: str = "mean_s", power: str = CONTROLLED) -> Interval:
    return ratio(*(latencies_s(rows, quantity, method, power) for method in (mine, theirs)))
