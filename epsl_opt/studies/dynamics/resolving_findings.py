"""What age does to a schedule, and what a new one is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from epsl_opt.plugins.study import Cell, Finding, Row, Verdict
from epsl_opt.report.intervals import Interval, judge_at_least, judge_at_most
from epsl_opt.studies.dynamics.cells import CHANGES, CONTROLLED, KEPT, POWERS, SUBCHANNELS, TITLES
from epsl_opt.studies.dynamics.resolving import PERIODS, ROUNDS, SOLVERS
from epsl_opt.studies.shared.rows import columns
from epsl_opt.studies.shared.seeds import BySeed, by_seed, difference, geometric_mean, mean, over_settings, ratio

TOLERATED = 1.05

Where = Mapping[str, Cell]


def latencies_s(rows: Sequence[Row], column: str = "latency_s", /, **wanted: Cell) -> BySeed:
    """Return a column of the rows about schedules of an age, by seed; powers are controlled anew if not given."""
    return by_seed(rows, column, **{"part": "resolving", "power": CONTROLLED} | wanted)


def net_s(rows: Sequence[Row], **wanted: Cell) -> BySeed:
    """Return latency and the time for solving and power control together, a round, by seed."""
    latency, solve, control = (latencies_s(rows, column, **wanted) for column in ("latency_s", "solve_s", "control_s"))
    every = int(wanted["every"] or 1)
    return {seed: latency[seed] + solve[seed] / every + control[seed] for seed in latency}


def best(rows: Sequence[Row], **cell: Cell) -> BySeed:
    """Return the latencies under an optimal schedule in every round, its making not counted."""
    return latencies_s(rows, solver="exact", every=1, **cell)


def staleness(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield latencies over those under an optimal schedule in every round; no time measured is in it."""
    for clients, change, solver, power, every in product(SUBCHANNELS, CHANGES, SOLVERS, POWERS, PERIODS):
        where: Where = {"clients": clients, "change": change, "solver": solver, "power": power, "every": every}
        if latency := latencies_s(rows, **where):
            found = ratio(latency, best(rows, clients=clients, change=change))
            tail_s = mean(latencies_s(rows, "p90_s", **where)).mean
            means = {"latency_s": mean(latency).mean, "p90_s": tail_s, "draws": found.n}
            yield {**where, **columns(found, "ratio"), **means}


def worth(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield what a schedule every K rounds saves a round against one for all, and costs; measured times are in it."""
    for clients, change, solver, every in product(SUBCHANNELS, CHANGES, SOLVERS, PERIODS):
        of: Where = {"clients": clients, "change": change, "solver": solver}
        if latency := latencies_s(rows, **of, every=every):
            net = ratio(net_s(rows, **of, every=every), best(rows, clients=clients, change=change))
            solve, control = (mean(latencies_s(rows, c, **of, every=every)).mean for c in ("solve_s", "control_s"))
            yield {
                **of,
                "every": every,
                **columns(difference(latencies_s(rows, **of, every=ROUNDS), latency), "saved_s"),
                **{"solve_s": solve, "control_s": control, "cost_s": solve / every + control},
                **columns(net, "net"),
                "draws": net.n,
            }


def resolving_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Judge what schedules of an age are good for."""
    for clients, change in product(SUBCHANNELS, CHANGES):
        if best(rows, clients=clients, change=change):
            of: Where = {"clients": clients, "change": change, "solver": "exact"}
            where = f"{TITLES[change]}, {clients} clients"
            yield _once_is_enough(rows, of, where)
            yield _every_round_pays(rows, of, where)
            yield _best_period(rows, of, where)
    for clients in SUBCHANNELS:
        if _over_changes(rows, "latency_s", clients=clients, solver="exact", every=ROUNDS):
            yield from (_ages(rows, clients, *compared) for compared in AGED)
            yield _exact_pays(rows, clients)


def _once_is_enough(rows: Sequence[Row], of: Where, where: str) -> Finding:
    found = ratio(*(latencies_s(rows, **of, every=every) for every in (ROUNDS, 1)))
    claim = f"a schedule made once is enough: rounds are at most {round(100 * (TOLERATED - 1))} % longer ({where})"
    evidence = f"latency, made once over made in every round, {found.text()}; powers controlled anew"
    return Finding(claim, judge_at_most(found, TOLERATED), f"{evidence}, {found.n} cells")


def _every_round_pays(rows: Sequence[Row], of: Where, where: str) -> Finding:
    found = ratio(*(net_s(rows, **of, every=every) for every in (ROUNDS, 1)))
    claim = f"an optimal schedule in every round pays against one for all, solving counted in ({where})"
    limits = " and ".join(f"{break_even(rows, every, of).text(3, ' s')} against K = {every}" for every in (2, ROUNDS))
    taken = mean(latencies_s(rows, "solve_s", **of, every=1)).mean
    evidence = f"time a round, once over every round, {found.text()}; solving took {taken:.2g} s and may take {limits}"
    return Finding(claim, judge_at_least(found, 1.0), evidence)


def break_even(rows: Sequence[Row], every: int, of: Where) -> Interval:
    """Return how long solving may take for K = 1 to cost no more than K = `every`, in seconds."""
    share = 1 - 1 / every
    later, now = ({seed: value / share for seed, value in latencies_s(rows, **of, every=k).items()} for k in (every, 1))
    return difference(later, now)


def _best_period(rows: Sequence[Row], of: Where, where: str) -> Finding:
    net = {every: net_s(rows, **of, every=every) for every in PERIODS}
    means = {every: geometric_mean(values).mean for every, values in net.items()}
    least = min(means, key=lambda every: means[every])
    wins = sum(min(PERIODS, key=lambda every: net[every][seed]) == least for seed in net[least])
    times = ", ".join(f"{means[every]:.4g} s at {every}" for every in PERIODS)
    claim = f"a round takes the least time, solving counted in, with a new schedule every K = {least} rounds ({where})"
    return Finding(claim, Verdict.OBSERVED, f"best in {wins} of {len(net[least])} cells; geometric means: {times}")


def _over_changes(rows: Sequence[Row], column: str, /, *, geometric: bool = True, **wanted: Cell) -> BySeed:
    """Return means over all kinds of change, of net times or a column; a cell counts once."""
    settings = [
        net_s(rows, change=change, **wanted) if column == "net" else latencies_s(rows, column, change=change, **wanted)
        for change in CHANGES
    ]
    return over_settings(settings, geometric=geometric)


AGED = (
    (
        "controlling powers anew makes up for a schedule's age in part",
        "powers as scheduled over controlled anew, one schedule for all rounds",
        ("exact", KEPT),
    ),
    (
        "an optimal schedule stays better than greedy's as both grow old",
        "greedy over exact, one schedule for all rounds, powers controlled anew",
        ("greedy", CONTROLLED),
    ),
)
"""Claim, what is compared, and whose schedules with what powers are compared with exact's."""


def _ages(rows: Sequence[Row], clients: int, claim: str, what: str, compared: tuple[str, str]) -> Finding:
    worse, better = (
        _over_changes(rows, "latency_s", clients=clients, solver=solver, power=power, every=ROUNDS)
        for solver, power in (compared, ("exact", CONTROLLED))
    )
    found = ratio(worse, better)
    return Finding(f"{claim} ({clients} clients)", judge_at_least(found, 1.0), f"latency, {what}, {found.text()}")


def _exact_pays(rows: Sequence[Row], clients: int) -> Finding:
    """Judge optimal schedules in every round against bcd's."""
    exact, bcd = (
        {
            column: _over_changes(rows, column, geometric=column == "net", clients=clients, solver=solver, every=1)
            for column in ("net", "latency_s", "solve_s")
        }
        for solver in ("exact", "bcd")
    )
    found = ratio(bcd["net"], exact["net"])
    shorter, longer = difference(bcd["latency_s"], exact["latency_s"]), difference(exact["solve_s"], bcd["solve_s"])
    return Finding(
        f"proving optimality in every round pays against bcd in every round, solving counted in ({clients} clients)",
        judge_at_least(found, 1.0),
        f"time a round, bcd over exact, {found.text(4)}; exact makes the round {shorter.text(3, ' s')} shorter and "
        f"takes {longer.text(3, ' s')} longer",
    )
