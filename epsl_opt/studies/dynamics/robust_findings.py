"""What deciding once for many rounds is good for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from epsl_opt.plugins.study import Finding, Row, Table
from epsl_opt.report.intervals import Interval, judge_at_least, judge_at_most
from epsl_opt.studies.dynamics.cells import CONTROLLED
from epsl_opt.studies.dynamics.robust import POWERS
from epsl_opt.studies.shared import rows as found

TOLERATED = 1.05
METHODS = ("one round", "nominal", "cautious", "expected", "p90")
ANEW = "every round"
QUANTITIES = {"mean_s": "mean", "p90_s": "90th percentile"}
ROBUSTNESS = ("power", "method", "quantity", "ratio", "ratio_low", "ratio_high", "latency_s", "draws")


def latencies_s(rows: Sequence[Row], quantity: str, method: str, power: str) -> dict[int, float]:
    """Return the mean or the 90th percentile over fresh rounds, by seed."""
    return found.by_seed(rows, quantity, part="robust", method=method, power=power)


def robustness(rows: Sequence[Row]) -> Table:
    """Return mean and 90th percentile of each method over those of an optimal schedule in every round."""
    made: list[Row] = []
    for power, method, quantity in product(POWERS, METHODS, QUANTITIES):
        mine = latencies_s(rows, quantity, method, power)
        if mine:
            ratio = found.ratio(mine, latencies_s(rows, quantity, ANEW, CONTROLLED))
            made.append(
                {"power": power, "method": method, "quantity": QUANTITIES[quantity]}
                | found.columns(ratio, "ratio")
                | {"latency_s": found.mean(mine).mean, "draws": ratio.n}
            )
    return Table("robust", "Latency on fresh rounds under schedules decided once.", ROBUSTNESS, made)


def robust_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge robust schedules against the nominal one, and against deciding anew."""
    if not found.select(rows, part="robust"):
        return
    for power in POWERS:
        for method, quantity in (("expected", "mean_s"), ("p90", "p90_s")):
            ratio = _ratio(rows, quantity, ("nominal", power), (method, power))
            aim = "expected latency" if method == "expected" else QUANTITIES[quantity]
            claim = f"deciding for the {aim} beats deciding for the mean gains (powers {power})"
            evidence = f"{QUANTITIES[quantity]} of the latency, nominal over {method}, {ratio.text(4)}, {ratio.n} cells"
            yield Finding(claim, judge_at_least(ratio, 1.0), evidence)
    ratio = _ratio(rows, "mean_s", ("one round", CONTROLLED), ("nominal", CONTROLLED))
    yield Finding(
        "one schedule for all rounds had better be made for the mean gains than for a single round's",
        judge_at_least(ratio, 1.0),
        f"mean latency, made for one round over made for the mean gains, {ratio.text(4)}",
    )
    ratio = _ratio(rows, "mean_s", ("expected", CONTROLLED), (ANEW, CONTROLLED))
    yield Finding(
        f"a robust schedule is nearly as good as a new one in every round: within {TOLERATED - 1:.0%}".replace(
            "%", " %"
        ),
        judge_at_most(ratio, TOLERATED),
        f"mean latency, decided once over decided anew, {ratio.text(4)}; solving not counted",
    )


def _ratio(rows: Sequence[Row], quantity: str, mine: tuple[str, str], theirs: tuple[str, str]) -> Interval:
    return found.ratio(latencies_s(rows, quantity, *mine), latencies_s(rows, quantity, *theirs))
